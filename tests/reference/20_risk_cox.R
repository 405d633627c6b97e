source("common.R")
# Cox models of risk: delayed entry with many ties, cause-specific models combined, restricted cubic splines.
R <- list(`_meta` = list(title = "Risk models: delayed entry, competing risks, splines", reference = "R survival"))
rd <- function(n) read.csv(file.path("inputs", paste0(n, ".csv")), check.names = FALSE, na.strings = "")

curves <- function(fit, newdata, level, d) lapply(seq_len(nrow(newdata)), function(i) {
  s <- survfit(fit, newdata = newdata[i, , drop = FALSE], conf.type = "log-log", conf.int = level); k <- s$n.event > 0
  list(time = I(s$time[k]), surv = I(s$surv[k]), lower = I(s$lower[k]), upper = I(s$upper[k])) })

entered <- function(d, form, newdata, t, level = 0.9) {
  d <<- d; f <- coxph(form, d, ties = "efron"); s <- summary(f); y <- f$y
  d$lp <- predict(f, type = "lp"); k <- concordance(y ~ d$lp, reverse = TRUE)
  h <- basehaz(f, centered = FALSE); br <- quantile(d$lp, 0:3 / 3); g <- if (anyDuplicated(br)) rep(1, nrow(d)) else cut(d$lp, br, include.lowest = TRUE, labels = FALSE)
  km <- lapply(sort(unique(g)), function(j) { z <- summary(survfit(y[g == j] ~ 1, conf.type = "log-log"), times = t)
    list(observed = 1 - z$surv, lower = 1 - z$upper, upper = 1 - z$lower, n = sum(g == j)) })
  list(call = deparse1(form), n = f$n, n_event = f$nevent, coef = f$coefficients, vcov = unname(vcov(f)), loglik = I(f$loglik),
       tests = I(c(s$logtest[["test"]], unname(f$wald.test), s$sctest[["test"]])),
       concordance = list(c = unname(k$concordance), se = sqrt(unname(k$var)), counts = k$count),
       baseline = list(time = I(h$time), cumulative = I(h$hazard)), level = level, newdata = newdata, curves = curves(f, newdata, level, d), t = t, thirds = km) }

m <- na.omit(rd("mgus2")[c("age", "sex", "hgb", "creat", "futime", "death")])
m$entry <- m$age; m$exit <- m$age + ceiling((m$futime + 0.5) / 6) / 2 # in half-years: many ties
m$male <- as.integer(m$sex == "M")
E <- list()
E$mgus2_age <- entered(m, Surv(entry, exit, death) ~ male + hgb + creat, data.frame(male = c(0, 1), hgb = c(13, 9.5), creat = c(1, 2.4)), 80)
ch <- rd("channing"); ch <- subset(ch, ageentry < age)
E$channing <- entered(ch, Surv(ageentry, age, death) ~ gender, data.frame(gender = 1:2), 1000, 0.95)
R$entry <- E

# Times are told apart by 1e-5 a row: with several states coxph knows no Efron ties.
competing <- function(d, form, newdata, times) {
  d$etime <- d$etime + seq_len(nrow(d)) * 1e-5
  d$kind <- factor(d$ev, 0:max(d$ev)); d$pid <- seq_len(nrow(d)); d <<- d
  f <- coxph(update(form, Surv(etime, kind) ~ .), d, id = pid, ties = "efron")
  s <- survfit(f, newdata = newdata); at <- findInterval(times, s$time)
  p <- s$pstate; dim(p) <- dim(s$pstate)
  list(call = deparse1(form), newdata = newdata, coef = I(unname(f$coefficients)), times = I(times),
       event = lapply(seq_len(nrow(newdata)), function(i) I(ifelse(at == 0, 0, p[pmax(at, 1), i, 2]))),
       other = lapply(seq_len(nrow(newdata)), function(i) I(ifelse(at == 0, 0, p[pmax(at, 1), i, 3])))) }
C <- list()
d <- na.omit(rd("mgus2_cr")[c("etime", "ev", "age", "sex", "hgb", "mspike")]); d$male <- as.integer(d$sex == "M")
C$mgus2_cr <- competing(d, ~ age + male + hgb + mspike, data.frame(age = c(50, 72, 90), male = c(0, 1, 1), hgb = c(14, 12.5, 7), mspike = c(0.5, 1.4, 3)), c(0, 6, 24, 60, 120, 240, 400))
d <- na.omit(rd("pbc_cr")[c("time", "ev", "age", "bili", "albumin")]); d$etime <- d$time; d$lbili <- log(d$bili)
C$pbc_cr <- competing(d, ~ age + lbili + albumin, data.frame(age = c(40, 55, 70), lbili = log(c(0.6, 2, 17)), albumin = c(4, 3.5, 2.2)), c(30, 400, 1200, 2500, 4000))
R$competing <- C

# Harrell's restricted cubic spline, written out: knots at quantiles, cubic parts over the squared distance of the outer knots.
rcs <- function(x, k) { n <- length(k); p <- function(u) pmax(u, 0)^3
  cbind(x, sapply(seq_len(n - 2), function(j) (p(x - k[j]) - p(x - k[n - 1]) * (k[n] - k[j]) / (k[n] - k[n - 1]) + p(x - k[n]) * (k[n - 1] - k[j]) / (k[n] - k[n - 1])) / (k[n] - k[1])^2)) }
g <- rd("gbsg"); K <- list(age = unname(quantile(g$age, c(.05, .35, .65, .95))), pgr = unname(quantile(g$pgr, c(.05, .35, .65, .95))))
f <- coxph(Surv(rfstime, status) ~ rcs(age, K$age) + rcs(pgr, K$pgr) + hormon, g, ties = "efron")
nd <- data.frame(age = c(30, 50, 75), pgr = c(0, 40, 600), hormon = c(0, 1, 0))
s <- survfit(f, newdata = nd, conf.type = "log-log"); at <- c(365, 1000, 2000); w <- summary(s, times = at)
q <- quantile(g$age, c(.25, .75)); b <- f$coefficients[1:3]; v <- vcov(f)[1:3, 1:3]
z <- as.numeric(diff(rcs(unname(q), K$age)))
R$splines <- list(knots = lapply(K, I), coef = I(unname(f$coefficients)), loglik = I(f$loglik), newdata = nd, times = I(at),
  surv = unname(w$surv), lower = unname(w$lower), upper = unname(w$upper), quartiles = I(unname(q)),
  log_ratio = sum(z * b), se = sqrt(drop(z %*% v %*% z)), wald = drop(b %*% solve(v, b)))
write_ref(R, "20_risk_cox.R")
