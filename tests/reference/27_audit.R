# Whom a model fails, and what it is worth elsewhere: groups, decisions at a threshold, external validation.
suppressMessages({library(survival); library(jsonlite); library(geepack)})

pbc <- pbc[, c("time", "status", "trt", "age", "sex", "edema", "bili", "albumin", "protime")]
pbc$event <- as.integer(pbc$status > 0)
trial <- pbc[!is.na(pbc$trt), ]
outside <- pbc[is.na(pbc$trt), ]
# As Bedside reads a gap: by the median of the patients the model learns from.
outside$protime[is.na(outside$protime)] <- median(trial$protime)
cloglog <- function(r) log(-log(1 - r))

## The model of the 312 trial patients, on the 106 outside the trial
fit <- coxph(Surv(time, event) ~ age + edema + log(bili) + log(albumin) + log(protime), data = trial,
             ties = "efron", control = coxph.control(eps = 1e-10, toler.chol = 1e-12))
years <- c(2, 5) * 365.25
base <- basehaz(fit, centered = TRUE)
hazard <- sapply(years, function(t) max(base$hazard[base$time <= t]))
lp <- predict(fit, newdata = outside, type = "lp", reference = "sample")
risk <- 1 - exp(-exp(lp) %o% hazard)
observed <- function(d, t) {
  s <- summary(survfit(Surv(time, event) ~ 1, data = d, conf.type = "log-log"), times = t, extend = TRUE)
  list(risk = 1 - s$surv, lower = 1 - s$upper, upper = 1 - s$lower, std_err = s$std.err)
}
conc <- concordance(Surv(time, event) ~ lp, data = outside, reverse = TRUE)
slope <- coxph(Surv(time, event) ~ lp, data = outside, control = coxph.control(eps = 1e-10, toler.chol = 1e-12))
off <- coxph(Surv(time, event) ~ offset(lp), data = outside)
own <- survfit(off, se.fit = FALSE)  # of a patient with the mean offset
scaled <- survfit(slope, newdata = data.frame(lp = lp), se.fit = FALSE)
own_at <- function(t) 1 - summary(own, times = t)$surv^exp(lp - mean(lp))
at <- function(curve, t) 1 - as.vector(summary(curve, times = t)$surv)
first <- 1:8
external <- list(
  coefficients = unname(coef(fit)), n = nrow(outside), events = sum(outside$event),
  years = years, expected = colMeans(risk), risk = unname(risk[first, ]),
  observed = lapply(years, function(t) observed(outside, t)),
  concordance = list(c = unname(conc$concordance), se = sqrt(conc$var)),
  slope = list(value = unname(coef(slope)), se = sqrt(vcov(slope)[1, 1])),
  intercept = lapply(seq_along(years), function(i) {
    km <- function(d) 1 - summary(survfit(Surv(time, event) ~ 1, data = d), times = years[i], extend = TRUE)$surv
    n <- nrow(outside)
    pseudo <- sapply(seq_len(n), function(k) n * km(outside) - (n - 1) * km(outside[-k, ]))
    d <- data.frame(pseudo = pseudo, cll = cloglog(risk[, i]), id = seq_len(n))
    g <- geese(pseudo ~ offset(cll), data = d, id = id, mean.link = "cloglog", corstr = "independence",
               control = geese.control(epsilon = 1e-12, maxit = 100))
    list(value = unname(g$beta), se = sqrt(g$vbeta[1, 1]))
  }),
  baseline_only = unname(t(sapply(years, own_at)))[, first],
  slope_and_baseline = unname(t(sapply(years, function(t) at(scaled, t))))[, first]
)

## Decisions at a threshold and performance by sex, from a risk that everybody can make again
all <- pbc[!is.na(pbc$protime), ]
all$score <- log(all$bili) - 0.05 * all$edema
all$risk <- 1 - exp(-0.22 * exp(0.7 * (all$score - 1)))
t <- 1826.25
group <- function(d) {
  seen <- observed(d, t)
  flagged <- d$risk >= 0.3
  p <- mean(flagged)
  one <- observed(d[flagged, ], t)
  zero <- observed(d[!flagged, ], t)
  k <- concordance(Surv(time, event) ~ score, data = d, reverse = TRUE)
  list(n = nrow(d), predicted = mean(d$risk), observed = seen, log_ratio_se = seen$std_err / seen$risk,
       c = unname(k$concordance), c_se = sqrt(k$var), flagged = p, ppv = one$risk, npv = 1 - zero$risk,
       sensitivity = p * one$risk / (p * one$risk + (1 - p) * zero$risk),
       specificity = (1 - p) * (1 - zero$risk) / ((1 - p) * (1 - zero$risk) + p * (1 - one$risk)))
}
groups <- lapply(split(all, all$sex), group)
q <- function(value, se) { w <- 1 / se^2; sum(w * (value - sum(w * value) / sum(w))^2) }
audit <- list(
  groups = groups,
  q_ratio = q(sapply(groups, function(g) log(g$observed$risk / g$predicted)), sapply(groups, `[[`, "log_ratio_se")),
  q_c = q(sapply(groups, `[[`, "c"), sapply(groups, `[[`, "c_se")),
  holm = p.adjust(c(0.04, 0.01, 0.2, 0.012, 0.9), "holm"), holm_of = c(0.04, 0.01, 0.2, 0.012, 0.9)
)
# The sensitivity's standard error on the logit scale, against 2,000 bootstrap samples
set.seed(1)
women <- all[all$sex == "f", ]
boot <- replicate(2000, group(women[sample(nrow(women), replace = TRUE), ])[c("sensitivity", "specificity")])
audit$bootstrap_se <- list(sensitivity = sd(qlogis(unlist(boot["sensitivity", ]))),
                           specificity = sd(Filter(is.finite, qlogis(unlist(boot["specificity", ])))))

meta <- list(R = R.version.string, survival = as.character(packageVersion("survival")),
             geepack = as.character(packageVersion("geepack")))
write(toJSON(list(`_meta` = meta, external = external, audit = audit), auto_unbox = TRUE, digits = NA, null = "null",
             na = "null"), "27_audit.json")
