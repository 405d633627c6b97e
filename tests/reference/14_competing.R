source("common.R"); suppressPackageStartupMessages({library(cmprsk); library(riskRegression); library(prodlim)})
R <- list(`_meta` = list(title = "Competing risks beyond two causes: three types of event, times of zero and many ties (survival::transplant), delayed entry, case weights, Gray's test with strata and rho, several states in a row (survival::myeloid)", reference = "R survival, cmprsk, riskRegression"))
# ---- waiting for a liver: 1 = transplanted, 2 = died waiting, 3 = withdrew -------------------
tp <- survival::transplant; tp$id <- seq_len(nrow(tp)); tp$ev <- c(censored = 0L, death = 2L, ltx = 1L, withdraw = 3L)[as.character(tp$event)]
tp <- subset(tp, !is.na(age)); tp$male <- as.integer(tp$sex == "m"); tp$late <- as.integer(tp$year > 1994); tp$abo <- as.character(tp$abo)
tp$entry <- (tp$id * 7) %% 30; tp$wt <- 1 + (tp$id %% 3) / 2
tp <- tp[c("id", "age", "male", "late", "abo", "futime", "ev", "entry", "wt")]; R$inputs$comp_transplant <- put_csv(tp, "comp_transplant")
times <- c(0, 30, 90.5, 365, 900, 5000)
aj <- function(d, conf.int = 0.95, entry = NULL, weights = NULL, types = c("log", "log-log", "plain")) {
  d$fac <- factor(d$ev, 0:3); d$w <- if (is.null(weights)) 1 else weights
  form <- if (is.null(entry)) Surv(futime, fac) ~ 1 else Surv(entry, futime, fac) ~ 1
  fits <- lapply(setNames(nm = types), function(ct) survfit(form, d, weights = w, id = id, conf.type = ct, conf.int = conf.int)); f <- fits[[1]]
  sm <- summary(f, times = times, extend = TRUE); o <- list(n = nrow(d), times = I(times), n_risk = I(sm$n.risk[, 1]), event_free = I(sm$pstate[, 1]), full = list(time = I(f$time), n_risk = I(f$n.risk[, 1])))
  for (k in 1:3) { o[[paste0("cif_cause", k)]] <- I(sm$pstate[, k + 1]); o[[paste0("se_cause", k)]] <- I(sm$std.err[, k + 1])
    o$full[[paste0("n_cause", k)]] <- I(f$n.event[, k + 1]); o$full[[paste0("cif_cause", k)]] <- I(f$pstate[, k + 1]) }
  o$ci <- lapply(fits, function(ff) { z <- summary(ff, times = times, extend = TRUE); r <- list(); for (k in 1:3) { r[[paste0("cause", k, "_lower")]] <- I(z$lower[, k + 1]); r[[paste0("cause", k, "_upper")]] <- I(z$upper[, k + 1]) }; r })
  # Until the first event survfit has no interval; before it every chance is 0 and so are its limits here.
  if (is.null(entry) && is.null(weights)) { tt <- times[times <= max(d$futime)]; cu <- timepoints(cuminc(d$futime, d$ev, cencode = 0), times)
    o$cmprsk <- list(); for (k in 1:3) { o$cmprsk[[paste0("est_cause", k)]] <- I(unname(cu$est[k, ])); o$cmprsk[[paste0("var_cause", k)]] <- I(unname(cu$var[k, ])) } }
  o }
set <- function(d, ...) lapply(split(d, d$abo), aj, ...)
R$aalen_johansen <- list(transplant_abo = set(tp), transplant_all_90 = list(overall = aj(tp, conf.int = 0.9)))
ent <- subset(tp, futime > entry); R$aalen_johansen$transplant_entry <- list(overall = aj(ent, entry = TRUE)); R$aalen_johansen$transplant_weights <- list(overall = aj(tp, weights = tp$wt))
gray <- function(...) { t <- cuminc(..., cencode = 0)$Tests; list(chisq = I(unname(t[, "stat"])), p = I(unname(t[, "pv"])), df = I(unname(t[, "df"]))) }
R$gray_test <- with(tp, list(abo = gray(futime, ev, abo), abo_rho1 = gray(futime, ev, abo, rho = 1), male_strata_abo = gray(futime, ev, male, strata = abo), abo_strata_late_rho_half = gray(futime, ev, abo, strata = late, rho = 0.5)))
# ---- Fine-Gray --------------------------------------------------------------------------------
X <- as.matrix(tp[c("age", "male", "late")]); new <- rbind(c(40, 0, 0), c(60, 1, 1)); colnames(new) <- colnames(X)
fg <- function(cause) { f <- crr(tp$futime, tp$ev, X, failcode = cause, cencode = 0); pr <- predict(f, new); at <- c(30, 90.5, 365, 900)
  cif <- function(j) vapply(at, function(t) { k <- which(pr[, 1] <= t); if (length(k)) pr[max(k), j + 1] else 0 }, 0)
  d <- finegray(Surv(futime, factor(ev, 0:3)) ~ age + male + late, tp, etype = as.character(cause)); b <- coxph(Surv(fgstart, fgstop, fgstatus) ~ age + male + late, d, weights = fgwt, ties = "breslow"); e <- update(b, ties = "efron")
  list(cause = cause, n = f$n, coef = I(unname(f$coef)), vcov = unname(f$var), loglik = f$loglik, loglik_null = f$loglik.null, newX = as.data.frame(new), times = I(at), cif_pred = lapply(1:2, function(j) I(cif(j))),
    via_survival_finegray = list(coef_breslow = I(unname(coef(b))), se_naive_breslow = I(unname(sqrt(diag(vcov(b))))), coef_efron = I(unname(coef(e))), rows = nrow(d)), se_efron = I(unname(sqrt(diag(vcov(e)))))) }
R$fine_gray <- list(transplant_ltx = fg(1), transplant_death = fg(2), transplant_withdraw = fg(3))
fge <- function(entry, cause) { d <- tp; d$entry <- entry; d <- subset(d, futime > entry); d <- finegray(Surv(entry, futime, factor(ev, 0:3)) ~ age + male + late, d, etype = as.character(cause), id = id); b <- coxph(Surv(fgstart, fgstop, fgstatus) ~ age + male + late, d, weights = fgwt, ties = "breslow"); e <- update(b, ties = "efron")
  list(cause = cause, via_survival_finegray = list(coef_breslow = I(unname(coef(b))), se_naive_breslow = I(unname(sqrt(diag(vcov(b))))), coef_efron = I(unname(coef(e))), rows = nrow(d)), se_efron = I(unname(sqrt(diag(vcov(e)))))) }
R$fine_gray_entry <- list(ltx = fge(tp$entry, 1), death = fge(tp$entry, 2), before_all = fge(-1 / tp$id, 1))
# ---- absolute risks from three causes -----------------------------------------------------------
csc <- function(ties) { z <- CSC(Hist(futime, ev) ~ age + male + late, data = tp, method = ties); at <- c(30, 90.5, 365, 900, 3000); o <- list()
  for (c in 1:3) { p <- predict(z, newdata = as.data.frame(new), times = at, cause = c, se = TRUE, keep.newdata = FALSE); o[[paste0("csc_absolute_risk_cause", c)]] <- list(times = I(at), risk = unname(p$absRisk), se = unname(p$absRisk.se), lower = unname(p$absRisk.lower), upper = unname(p$absRisk.upper))
    o[[paste0("csc_absolute_risk_cause", c, "_exp")]] <- unname(predict(z, newdata = as.data.frame(new), times = at, cause = c, product.limit = FALSE)$absRisk) }
  o$newdata <- as.data.frame(new); o }
R$cause_specific <- list(transplant = csc("breslow"), transplant_efron = csc("efron"))
# ---- several states: leukaemia, complete response, relapse, death ------------------------------
ml <- survival::myeloid; ml <- tmerge(ml[c("id", "trt", "sex")], ml, id = id, death = event(futime, death), cr = event(crtime), rl = event(rltime))
ml$ev <- with(ml, ifelse(death == 1, 3L, ifelse(rl == 1, 2L, ifelse(cr == 1, 1L, 0L)))); ml <- data.frame(id = ml$id, trt = as.character(ml$trt), female = as.integer(ml$sex == "f"), tstart = ml$tstart, tstop = ml$tstop, ev = ml$ev)
R$inputs$comp_myeloid <- put_csv(ml, "comp_myeloid"); ml$b <- as.integer(ml$trt == "B"); ml$fe <- factor(ml$ev, 0:3, c("censor", "CR", "relapse", "death"))
occ <- function(d) { f <- survfit(Surv(tstart, tstop, fe) ~ trt, d, id = id, influence = TRUE); s <- summary(f, times = c(10, 180, 365, 1000), extend = TRUE); t <- summary(f, rmean = 730)$table
  list(states = f$states, transitions = unclass(f$transitions), time = s$time, pstate = unname(s$pstate), std_err = unname(s$std.err), rmean = list(values = unname(t[, 1:3])), rmean_se = I(unname(t[, 4]))) }
R$states <- list(myeloid = occ(ml), myeloid_late_entry = { d <- subset(ml, tstop > 40); d$tstart <- pmax(d$tstart, ifelse(d$id %% 2 == 1, 0, 40)); f <- survfit(Surv(tstart, tstop, fe) ~ trt, d, id = id); s <- summary(f, times = c(50, 180, 365, 1000), extend = TRUE); list(time = s$time, pstate = unname(s$pstate), std_err = unname(s$std.err)) })
for (ties in c("efron", "breslow")) { cm <- if (ties == "efron") coxph(Surv(tstart, tstop, fe) ~ b + female, ml, id = id) else coxph(Surv(tstart, tstop, fe) ~ b + female, ml, id = id, ties = ties)
  R$state_cox[[paste0("myeloid_", ties)]] <- list(cmap = unclass(cm$cmap), coef = I(unname(coef(cm))), robust_se = I(unname(sqrt(diag(vcov(cm))))), naive_se = I(unname(sqrt(diag(cm$naive.var)))), ties = cm$method) }
write_ref(R, "14_competing.R")
