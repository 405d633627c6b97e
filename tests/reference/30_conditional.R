source("common.R")
R <- list(`_meta` = list(title = "Predicted Cox curves of patients who have come to some time", reference = "R survival",
  note = "survfit(coxph(..., ties = 'efron'), newdata, start.time = s, conf.type = 'log-log'); nobody's follow-up ends at s, where R would count an event"))
lung <- read.csv(file.path("inputs", "lung.csv"), check.names = FALSE, na.strings = "")
lung <- lung[complete.cases(lung[, c("age", "sex", "ph.ecog")]), ]
fit <- coxph(Surv(time, status) ~ age + sex + ph.ecog, lung)
new <- data.frame(age = c(50, 62, 74), sex = c(2, 1, 1), ph.ecog = c(0, 1, 2))
times <- c(200, 365, 700)
R$conditional <- lapply(c(0, 180.5, 360.5), function(s) {
  at <- times[times > s]
  v <- summary(survfit(fit, newdata = new, start.time = s, conf.type = "log-log"), times = at)
  list(start = s, times = I(at), surv = as.matrix(v$surv), lower = as.matrix(v$lower), upper = as.matrix(v$upper)) })
R$new <- new
write_ref(R, "30_conditional.json")
