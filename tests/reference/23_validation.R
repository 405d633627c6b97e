source("common.R"); suppressPackageStartupMessages({library(riskRegression); library(prodlim); library(pec); library(geepack); library(Hmisc)})
R <- list(`_meta` = list(title = "Performance of given risks with competing events, with ties and with two models; pseudo-values; calibration intercept and slope; smooth calibration curves from them", reference = "R riskRegression::Score, pec::cindex, prodlim::jackknife, geepack::geese"))
# Competing events with heavy ties (months), every third row scored
m <- mgus2; m$etime <- with(m, ifelse(pstat == 0, futime, ptime)); m$ev <- with(m, ifelse(pstat == 0, 2 * death, 1)); m$male <- as.integer(m$sex == "M")
m <- m[complete.cases(m[, c("age", "hgb", "mspike")]) & m$etime > 0, c("etime", "ev", "age", "male", "hgb", "mspike")]; rownames(m) <- NULL
m$split <- ifelse(seq_len(nrow(m)) %% 3 == 0, "test", "train"); R$inputs$`23_mgus2` <- put_csv(m, "23_mgus2"); tr <- m[m$split == "train", ]; te <- m[m$split == "test", ]
score <- function(models, formula, data, times, cause = NULL) { a <- list(models, formula = formula, data = data, times = times, metrics = c("auc", "brier"), summary = c("ipa", "ibs"), null.model = TRUE, conf.int = TRUE, se.fit = TRUE, cens.model = "km", plots = NULL); if (!is.null(cause)) a$cause <- cause
  s <- suppressMessages(do.call(Score, a)); ab <- function(x) { d <- as.data.frame(x); d[] <- lapply(d, function(v) if (is.factor(v)) as.character(v) else v); d }
  o <- list(AUC = ab(s$AUC$score), Brier = ab(s$Brier$score), Brier_contrasts = ab(s$Brier$contrasts)); if (length(models) > 1) o$AUC_contrasts <- ab(s$AUC$contrasts); o }
tms <- c(24, 60, 120, 240)
fg <- FGR(Hist(etime, ev) ~ age + male + hgb + mspike, data = tr, cause = 1); cs <- CSC(Hist(etime, ev) ~ age + mspike, data = tr, method = "breslow")
rf <- predictRisk(fg, newdata = te, times = tms); rc <- predictRisk(cs, newdata = te, times = tms, cause = 1)
rf <- unname(rf); rc <- round(unname(rc), 3)  # rounded: equal risks
o <- list(times = I(tms), risk_a = rf, risk_b = rc)
o$Score <- score(list(A = rf, B = rc), Hist(etime, ev) ~ 1, te, tms, cause = 1)
ci <- function(x, f, d, t, ...) unname(unlist(suppressMessages(pec::cindex(list(A = x), formula = f, data = d, eval.times = t, cens.model = "marginal", verbose = FALSE, ...))$AppCindex))
o$pec_a <- list(times = I(tms), cindex = I(ci(rf, Hist(etime, ev) ~ 1, te, tms, cause = 1))); o$pec_b <- list(times = I(tms), cindex = I(ci(rc, Hist(etime, ev) ~ 1, te, tms, cause = 1)))
pv <- prodlim::jackknife(prodlim(Hist(etime, ev) ~ 1, data = te), times = tms, cause = 1); o$pseudo <- unname(as.matrix(pv))
weak <- function(p, r) { d <- data.frame(p = p, cll = log(-log(1 - r)), id = seq_along(p)); d <- d
  a <- geese(p ~ offset(cll), data = d, id = id, scale.fix = TRUE, family = gaussian, mean.link = "cloglog", corstr = "independence", control = geese.control(epsilon = 1e-14, maxit = 200))
  b <- geese(p ~ offset(cll) + cll, data = d, id = id, scale.fix = TRUE, family = gaussian, mean.link = "cloglog", corstr = "independence", control = geese.control(epsilon = 1e-14, maxit = 200))
  list(intercept = list(est = unname(a$beta), se = sqrt(a$vbeta[1, 1])), slope = list(est = unname(1 + b$beta[2]), se = sqrt(b$vbeta[2, 2]))) }
o$weak_120 <- weak(pv[, 3], rf[, 3])
cal <- function(time, ev, r, t, groups) { aj <- function(k) { f <- survfit(Surv(time[k], factor(ev[k], 0:2)) ~ 1, conf.type = "log-log"); s <- summary(f, times = t, extend = TRUE); c(s$pstate[1, 2], s$lower[1, 2], s$upper[1, 2]) }
  a <- aj(rep(TRUE, length(r))); q <- cut(r, quantile(r, seq(0, 1, length.out = groups + 1)), include.lowest = TRUE, labels = FALSE); g <- vapply(sort(unique(q)), function(i) aj(q == i), numeric(3))
  cl <- log(-log(1 - r)); kn <- quantile(cl, c(.1, .5, .9)); B <- rcspline.eval(cl, knots = kn, inclx = TRUE); pv <- as.vector(prodlim::jackknife(prodlim(Hist(time, ev) ~ 1, data = data.frame(time, ev)), times = t, cause = 1)); d <- data.frame(pv, b1 = B[, 1], b2 = B[, 2], id = seq_along(pv)); f <- geese(pv ~ b1 + b2, data = d, id = id, scale.fix = TRUE, family = gaussian, mean.link = "cloglog", corstr = "independence", b = c(0, 1, 0), control = geese.control(epsilon = 1e-14, maxit = 200)); h <- 1 - exp(-exp(as.vector(cbind(1, B) %*% f$beta))); ad <- abs(h - r)
  list(time = t, observed_risk_km = a[1], observed_lower = a[2], observed_upper = a[3], mean_predicted = mean(r), O_over_E = a[1] / mean(r),
    groups = list(n = I(as.vector(table(q))), mean_predicted = I(as.vector(tapply(r, q, mean))), observed = I(g[1, ]), lower = I(g[2, ]), upper = I(g[3, ])),
    smooth_calibration = list(knots = I(unname(kn)), observed = I(unname(h)), ICI = mean(ad), E50 = median(ad), E90 = unname(quantile(ad, .9)), Emax = max(ad))) }
o$calibration_120 <- cal(te$etime, te$ev, rf[, 3], 120, 5)
dca <- function(time, ev, r, t, thr) { F <- function(k) summary(survfit(Surv(time[k], factor(ev[k], 0:2)) ~ 1), times = t, extend = TRUE)$pstate[1, 2]; f0 <- F(rep(TRUE, length(r)))
  list(time = t, thresholds = thr, net_benefit_model = vapply(thr, function(p) { k <- r >= p; if (!any(k)) return(0); f <- F(k); mean(k) * (f - (1 - f) * p / (1 - p)) }, 0), net_benefit_all = f0 - (1 - f0) * thr / (1 - thr), net_benefit_none = 0 * thr, n_above = vapply(thr, function(p) sum(r >= p), 0L)) }
o$decision_120 <- dca(te$etime, te$ev, rf[, 3], 120, seq(.02, .3, .02))
R$competing_mgus2 <- o
# One kind of event, times rounded to months and whole risks rounded: ties of everything; two models compared
v <- veteran; v$time <- ceiling(v$time / 30); v$status <- v$status; v$row <- seq_len(nrow(v)); R$inputs$`23_veteran` <- put_csv(v[, c("row", "time", "status", "karno", "age")], "23_veteran")
f <- coxph(Surv(time, status) ~ karno, v, x = TRUE, y = TRUE, ties = "breslow"); g <- coxph(Surv(time, status) ~ age, v, x = TRUE, y = TRUE, ties = "breslow"); tv <- c(1, 3, 6, 12)
ra <- round(unname(predictRisk(f, newdata = v, times = tv)), 2); rb <- unname(predictRisk(g, newdata = v, times = tv)); p <- list(times = I(tv), risk_a = ra, risk_b = rb, Score = score(list(A = ra, B = rb), Surv(time, status) ~ 1, v, tv))
p$pec_a <- list(times = I(tv), cindex = I(ci(1 - ra, Surv(time, status) ~ 1, v, tv))); pv <- prodlim::jackknife(prodlim(Hist(time, status) ~ 1, data = v), times = tv); p$pseudo <- 1 - unname(as.matrix(pv)); p$weak_3 <- weak(p$pseudo[, 2], ra[, 2])
R$ties_veteran <- p
write_ref(R, "23_validation.R")
