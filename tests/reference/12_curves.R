source("common.R")
R <- list(`_meta` = list(title = "Survival curves with delayed entry, weights, other estimators and starts; milestone differences; RMST of weighted curves", reference = "R survival"))
rd <- function(n) read.csv(file.path("inputs", paste0(n, ".csv")), check.names = FALSE, na.strings = "")
lung <- rd("lung"); lw <- rd("lung_weights"); ch <- subset(rd("channing"), age > ageentry); pbc <- rd("pbc")
scales <- c("plain", "log", "log-log", "logit", "arcsin")
# the columns of a curve, with its limits on every scale
columns <- function(formula, data, ...) {
  env <- environment(); environment(formula) <- env; more <- list(...)
  fits <- lapply(setNames(nm = scales), function(ct) do.call(survfit, c(list(formula = formula, data = data, conf.type = ct), more)))
  f <- fits$log
  o <- list(n = sum(f$n), time = I(f$time), strata_sizes = f$strata, n_risk = I(f$n.risk), n_event = I(f$n.event), n_censor = I(f$n.censor), surv = I(f$surv), cumhaz = I(f$cumhaz), std_chaz = I(f$std.chaz),
            std_err_surv = I(if (f$logse) f$std.err * f$surv else f$std.err))
  for (s in scales) { o[[paste0("lower_", s)]] <- I(fits[[s]]$lower); o[[paste0("upper_", s)]] <- I(fits[[s]]$upper) }
  o }
# Delayed entry. Group a: nobody is at risk from 3 to 5 after a censoring, and the curve goes on. Group b: an event
# leaves nobody, so the curve is 0 from there, and others join (weights are sums of powers of 2: with others R keeps 1e-16
# of a patient alive). Group c: entries tied with ends, negative entries, ties.
toy <- data.frame(id = c(1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 13, 14, 15, 16, 17, 18),
  entry = c(0, 1, 5, 8, 6, 5, 0, 2, 5, 6, 7, -1, 0, 4, 2, 2, 4, 4, -2, 3.5),
  time  = c(2, 3, 8, 9, 8, 11, 3, 4, 7, 9, 9, 2, 4, 6, 4, 6, 6, 7, 3, 5),
  event = c(1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1),
  group = rep(c("a", "b", "c"), c(6, 5, 9)), w = c(1, .5, 2.25, 2.25, 1.5, .75, 1, 2, 1.25, .5, 3, 1, .75, 1.75, .75, 1.125, 2, .625, 1.25, .875), k = rep(1:4, 5))
R$inputs$toy_entries <- put_csv(toy, "toy_entries")
R$entry_toy <- columns(Surv(entry, time, event) ~ group, toy)
R$entry_toy_99 <- columns(Surv(entry, time, event) ~ group, toy, conf.int = .99)
R$entry_toy_weights_rows <- columns(Surv(entry, time, event) ~ group, toy, weights = toy$w, cluster = seq_len(nrow(toy)), robust = TRUE)
R$entry_toy_weights_patients <- columns(Surv(entry, time, event) ~ group, toy, weights = toy$w, cluster = toy$id, robust = TRUE)
R$entry_toy_counts <- columns(Surv(entry, time, event) ~ group, toy, weights = toy$k)
R$entry_channing_99 <- columns(Surv(ageentry, age, death) ~ gender, ch, conf.int = .99)
R$entry_channing_fh <- columns(Surv(ageentry, age, death) ~ gender, ch, stype = 2, ctype = 2)
# weights on real rows: robust on every scale, by patient and by hospital; whole numbers by Greenwood
R$weights_lung_99 <- columns(Surv(time, status) ~ sex, lw, weights = lw$w, robust = TRUE, conf.int = .99)
R$weights_lung_hospital <- columns(Surv(time, status) ~ sex, subset(lw, !is.na(inst)), weights = subset(lw, !is.na(inst))$w, cluster = subset(lw, !is.na(inst))$inst)
R$weights_lung_greenwood <- columns(Surv(time, status) ~ sex, lw, weights = lw$w, robust = FALSE)
R$weights_lung_counts <- columns(Surv(time, status) ~ sex, lw, weights = 1 + (lw$age > 60))
R$weights_lung_fh <- columns(Surv(time, status) ~ sex, lw, weights = lw$w, robust = TRUE, stype = 2, ctype = 2)
R$ties_ovarian_na <- columns(Surv(futime, fustat) ~ rx, rd("ovarian"), stype = 2, ctype = 1)
# alive at s: R's start.time where nobody's follow-up ends at s, else the rows beyond s, observed from s on
R$alive_at_180_5 <- columns(Surv(time, status) ~ sex, lung, start.time = 180.5)
late <- subset(lung, time > 180); late$s <- 180; R$alive_at_180 <- columns(Surv(s, time, status) ~ sex, late)
c80 <- subset(ch, age > 960); c80$s <- pmax(c80$ageentry, 960); R$alive_at_960_channing <- columns(Surv(s, age, death) ~ gender, c80)
# every number of a km_block, of a curve with delayed entry and 99% intervals
R$km_entry_channing <- km_block(Surv(ageentry, age, death) ~ gender, ch, c(0, 780, 900, 1000, 1100), taus = c(900, 1100), conf.int = .99)
# survival at chosen times: intervals, and each group against the first
milestone <- function(formula, data, times, ct, level) {
  f <- survfit(formula, data, conf.type = ct, conf.int = level); s <- summary(f, times = times, extend = FALSE); z <- qnorm((1 + level) / 2)
  g <- split(seq_along(s$time), s$strata); first <- g[[1]]
  one <- function(j) list(surv = I(s$surv[j]), std_err = I(s$std.err[j]), lower = I(s$lower[j]), upper = I(s$upper[j]))
  two <- function(j) { a <- s$surv[first]; b <- s$surv[j]; va <- s$std.err[first]^2; vb <- s$std.err[j]^2
    d <- b - a; se <- sqrt(va + vb); lr <- log(b / a); ser <- sqrt(va / a^2 + vb / b^2)
    chi <- (log(-log(b)) - log(-log(a)))^2 / (va / (a * log(a))^2 + vb / (b * log(b))^2)   # Klein et al 2007; where a curve is at 1, the difference
    list(difference = I(d), lower = I(d - z * se), upper = I(d + z * se), p = I(2 * pnorm(-abs(d / se))), ratio = I(exp(lr)), ratio_lower = I(exp(lr - z * ser)), ratio_upper = I(exp(lr + z * ser)), p_loglog = I(ifelse(is.finite(chi), pchisq(chi, 1, lower.tail = FALSE), 2 * pnorm(-abs(d / se))))) }
  list(groups = lapply(g, one), contrasts = lapply(g[-1], two)) }
R$milestones_lung_sex <- milestone(Surv(time, status) ~ sex, lung, c(90, 180, 365, 730), "log-log", .95)
R$milestones_pbc_stage <- milestone(Surv(time, death) ~ stage, pbc, 365.25 * c(1, 3, 5, 8), "log", .9)
# RMST of weighted curves: the influence of each patient on S, integrated
area <- function(data, tau) { f <- survfit(Surv(time, status) ~ 1, data, weights = w, robust = TRUE, influence = TRUE); k <- f$time <= tau; width <- diff(c(f$time[k], tau))
  list(tau = tau, rmst = sum(c(1, f$surv[k]) * diff(c(0, f$time[k], tau))), se = sqrt(sum((f$influence.surv[, k, drop = FALSE] %*% width)^2))) }
R$rmst_weighted_lung <- list(tau = 365, arm0 = area(subset(lw, sex == 1), 365), arm1 = area(subset(lw, sex == 2), 365))
write_ref(R, "12_curves.R")
