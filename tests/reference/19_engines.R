source("common.R")
R <- list(`_meta` = list(title = "Curves and log-rank tests of filtered cohorts, for counts made by a database", reference = "R survival",
  note = "each block: survfit(..., conf.type = 'log-log') by group with n.risk, n.event, n.censor per distinct time, and survdiff; the filter and the groups are written out in the R code"))
rd <- function(n) read.csv(file.path("inputs", paste0(n, ".csv")), check.names = FALSE, na.strings = "")
block <- function(formula, data, test = TRUE, ...) {
  environment(formula) <- environment()
  f <- survfit(formula, data = data, conf.type = "log-log", ...)
  out <- list(call = deparse1(formula), n = I(f$n), strata_sizes = f$strata, time = I(f$time), n_risk = I(f$n.risk), n_event = I(f$n.event),
    n_censor = I(f$n.censor), surv = I(f$surv), lower = I(f$lower), upper = I(f$upper))
  if (!is.null(f$n.enter)) out$n_enter <- I(f$n.enter)
  if (test) { d <- survdiff(formula, data = data); out <- c(out, list(chisq = d$chisq, observed = I(d$obs), expected = I(d$exp))) }
  out }
lung <- rd("lung"); k <- with(lung, ((age >= 50 & age <= 70) | is.na(meal.cal)) & ph.ecog %in% c(0, 1)); l <- lung[k, ]
l$g <- findInterval(l$age, c(55, 65)); R$lung_filtered_by_age <- block(Surv(time, status == 1) ~ g, l)
lw <- rd("lung_weights"); lw <- lw[lw$age >= 45 & lw$age <= 75, ]
f <- survfit(Surv(time, status == 1) ~ sex, lw, weights = w, robust = FALSE, conf.type = "log-log")
R$lung_weighted_by_sex <- list(n = I(f$n), strata_sizes = f$strata, time = I(f$time), n_risk = I(f$n.risk), n_event = I(f$n.event), n_censor = I(f$n.censor), surv = I(f$surv), lower = I(f$lower), upper = I(f$upper))
m <- rd("mgus2_cr"); m <- m[!is.na(m$hgb) & (m$sex == "F" | m$age < 70), ]; m$g <- findInterval(m$hgb, c(12, 14))
R$mgus_any_event_by_hgb <- block(Surv(etime, ev > 0) ~ g, m)
R$mgus_kinds <- list(note = "rows with ev = 1 and ev = 2 at each distinct etime, groups together", time = I(sort(unique(m$etime))), kind_1 = I(as.vector(table(factor(m$etime[m$ev == 1], levels = sort(unique(m$etime)))))), kind_2 = I(as.vector(table(factor(m$etime[m$ev == 2], levels = sort(unique(m$etime)))))))
ch <- rd("channing"); ch <- ch[ch$age > ch$ageentry & ch$age >= 800, ]; R$channing_entry_by_gender <- block(Surv(ageentry, age, death) ~ gender, ch, test = FALSE)
write_ref(R, "19_engines.R")
