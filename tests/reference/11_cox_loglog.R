source("common.R")
R <- list(`_meta` = list(title = "Predicted Cox curves at every event time, log-log and log intervals", reference = "R survival",
  note = "survfit(coxph(..., ties = 'efron'), newdata, conf.type, conf.int): rows with n.event > 0; limits$<conf.type>_<conf.int>"))
rd <- function(n) read.csv(file.path("inputs", paste0(n, ".csv")), check.names = FALSE, na.strings = "")
curves <- function(fit, newdata, levels = c(0.95, 0.8)) {
  each <- lapply(seq_len(nrow(newdata)), function(i) {
    limits <- list(); s <- NULL
    for (ct in c("log-log", "log")) for (level in levels) {
      s <- survfit(fit, newdata = newdata[i, , drop = FALSE], conf.type = ct, conf.int = level); k <- s$n.event > 0
      limits[[paste0(ct, "_", level)]] <- list(lower = I(s$lower[k]), upper = I(s$upper[k])) }
    list(surv = I(s$surv[k]), limits = limits) })
  k <- survfit(fit)$n.event > 0
  list(call = deparse1(fit$call), newdata = newdata, time = I(survfit(fit)$time[k]), curves = each) }
C <- list()
f <- coxph(Surv(time, status) ~ age + sex + ph.ecog, rd("lung"), ties = "efron")
C$lung_age_sex_ecog_efron <- curves(f, data.frame(age = c(50, 70), sex = c(2, 1), ph.ecog = c(0, 2)))
f <- coxph(Surv(time, death) ~ age + edema + log(bili) + log(protime) + log(albumin), rd("pbc"), ties = "efron")
C$pbc_mayo_efron <- curves(f, data.frame(age = c(45, 60), edema = c(0, 1), bili = c(1.0, 6.5), protime = c(10, 12), albumin = c(3.8, 2.9)), levels = 0.95)
f <- coxph(Surv(rfstime, status) ~ age + meno + size + grade + nodes + pgr + er + hormon, rd("gbsg"), ties = "efron")
C$gbsg_full <- curves(f, data.frame(age = c(45, 65), meno = c(0, 1), size = c(20, 40), grade = c(2, 3), nodes = c(1, 8), pgr = c(150, 5), er = c(100, 5), hormon = c(1, 0)), levels = 0.95)
R$models <- C
write_ref(R, "11_cox_loglog.R")
