# What follows a Cox fit, on R's own data sets: strata, counting processes, clusters, weights, offsets, factors,
# interactions, Efron and Breslow; the smooth of plot.cox.zph; lowess of martingale residuals; ns() curves.
source("common.R")
R <- list(`_meta` = list(title = "Cox diagnostics: zph, residuals, baseline hazards, curves on counting processes, strata, weights, clusters", reference = "R survival"))
plain <- function(d) { d <- as.data.frame(d); for (k in names(d)) if (is.factor(d[[k]])) d[[k]] <- as.character(d[[k]]); d }
h <- heart; h$transplant <- as.integer(as.character(h$transplant)); h <- as.data.frame(h)
v <- veteran; v$w <- rep(c(0.5, 1, 2.25, 1.5, 3), length.out = nrow(v)); v$late <- ifelse(v$time > 20 & v$age > 60, 7, 0)
g <- as.data.frame(cgd); g$treat <- factor(as.character(g$treat), levels = c("placebo", "rIFN-g")); g$w <- rep(c(1, 2, 0.7), length.out = nrow(g))
g$steroids <- as.numeric(g$steroids)
R$inputs$heart <- put_csv(plain(h), "diag_heart"); R$inputs$veteran <- put_csv(plain(v), "diag_veteran")
R$inputs$cgd <- put_csv(plain(g)[, c("id", "treat", "age", "steroids", "sex", "inherit", "tstart", "tstop", "status", "enum", "w")], "diag_cgd")
pick <- function(b, keep = c("coef", "means", "cox_zph", "newdata", "pred_lp_centered", "pred_lp_zero", "curves", "residuals")) b[intersect(keep, names(b))]
M <- list(); B <- list()
add <- function(name, f, ...) { M[[name]] <<- pick(cox_block(f, ..., cindex = FALSE)); B[[name]] <<- base_block(f) }
# counting process with a time-varying covariate and interactions
nh <- data.frame(age = c(-10, 5), year = c(1, 4), surgery = c(0, 1), transplant = c(0, 1)); th <- c(0, 0.5, 15, 100, 400, 5000)
add("heart_efron", coxph(Surv(start, stop, event) ~ age + year + surgery + transplant, h), nh, th, residuals = TRUE)
add("heart_interaction_breslow", coxph(Surv(start, stop, event) ~ (age + surgery) * transplant, h, ties = "breslow"), nh, th, residuals = TRUE)
# strata, with and without the stratum in the new patients; a factor of several columns
nv <- data.frame(trt = c(1, 2), celltype = factor(c("large", "smallcell"), levels = levels(veteran$celltype)), karno = c(90, 40), age = c(50, 70)); tv <- c(1, 10, 60, 200, 999)
add("veteran_strata_celltype", coxph(Surv(time, status) ~ trt + karno + age + strata(celltype), v), nv, tv)
add("veteran_strata_not_given", coxph(Surv(time, status) ~ trt + karno + strata(celltype), v), nv[, c("trt", "karno")], tv)
add("veteran_two_strata", coxph(Surv(time, status) ~ karno + age + strata(celltype, trt), v, ties = "breslow"), nv, tv, residuals = TRUE)
add("veteran_factor", coxph(Surv(time, status) ~ celltype + karno + trt, v), nv, tv)
add("veteran_constant_in_stratum", coxph(Surv(time, status) ~ trt + I((celltype == "large") * age) + karno + strata(celltype), v), residuals = TRUE)
# weights: whole, broken (robust by default), with late entry, clusters
add("veteran_weights_efron", coxph(Surv(time, status) ~ celltype + karno, v, weights = w), nv, tv)
add("veteran_weights_naive_breslow", coxph(Surv(time, status) ~ celltype + karno, v, weights = w, ties = "breslow", robust = FALSE), nv, tv)
add("veteran_weights_late_strata", coxph(Surv(late, time, status) ~ celltype + karno + strata(trt), v, weights = w), nv, tv, residuals = TRUE)
add("veteran_offset", coxph(Surv(time, status) ~ trt + age + offset(0.02 * karno), v), nv, tv)
add("cgd_cluster", coxph(Surv(tstart, tstop, status) ~ treat + age + steroids, g, cluster = id), data.frame(treat = factor(c("placebo", "rIFN-g")), age = c(5, 30), steroids = c(0, 1)), c(30, 150, 300))
add("cgd_cluster_strata_weights", coxph(Surv(tstart, tstop, status) ~ treat + age + strata(enum), subset(g, enum < 4), weights = w, cluster = id), data.frame(treat = factor(c("placebo", "rIFN-g")), age = c(5, 30), enum = c(1, 2)), c(30, 150, 300), residuals = TRUE)
R$models <- M; R$baseline <- B
# the smooth of plot.cox.zph: natural spline with df columns through the scaled residuals
smooth <- function(z, i, df = 4, nsmo = 40) { xx <- z$x; px <- seq(min(xx), max(xx), length = nsmo); l <- splines::ns(c(px, xx), df = df, intercept = TRUE); y <- z$y[, i]; k <- !is.na(y)
  q <- qr(l[-(1:nsmo), ][k, ]); bk <- backsolve(q$qr[1:df, 1:df], diag(df)); se <- sqrt(z$var[i, i] * rowSums((l[1:nsmo, ] %*% (bk %*% t(bk))) * l[1:nsmo, ]))
  list(term = colnames(z$y)[i], x = I(z$x[k]), time = I(z$time[k]), beta = I(unname(y[k])), at = I(px), smooth = I(drop(l[1:nsmo, ] %*% qr.coef(q, y[k]))), se = I(se)) }
zs <- function(f, tr) { z <- cox.zph(f, transform = tr); lapply(seq_len(ncol(z$y)), function(i) smooth(z, i)) }
f <- coxph(Surv(time, status) ~ celltype + karno + age, v)
R$beta_over_time <- list(veteran_km = zs(f, "km"), veteran_log = zs(f, "log"), veteran_strata = zs(coxph(Surv(time, status) ~ trt + I((celltype == "large") * age) + strata(celltype), v), "identity"), heart_rank = zs(coxph(Surv(start, stop, event) ~ age + year, h), "rank"))
# functional form
fm <- coxph(Surv(time, status) ~ trt, v); m <- residuals(fm, "martingale")
R$lowess <- list(karno = lowess(v$karno, m), age = lowess(v$age, m), age_narrow = lowess(v$age, m, f = 0.3), age_plain = lowess(v$age, m, iter = 0))
set.seed(16); n <- 400; x <- round(rnorm(n), 3); y <- round(sin(2 * x) + rnorm(n) / 3, 3); R$lowess$many <- c(list(input_x = x, input_y = y), setNames(lowess(x, y), c("x", "y")))
# hazard ratio along a spline, against a reference value, and tests of nonlinearity
k <- quantile(v$karno, c(.1, .5, .9)); rcs <- function(x) { p <- function(u) pmax(u, 0)^3; cbind(x, (p(x - k[1]) - p(x - k[2]) * (k[3] - k[1]) / (k[3] - k[2]) + p(x - k[3]) * (k[2] - k[1]) / (k[3] - k[2])) / (k[3] - k[1])^2) }
f <- coxph(Surv(time, status) ~ rcs(karno) + age, v); f0 <- coxph(Surv(time, status) ~ karno + age, v); at <- seq(20, 90, 10)
d <- sweep(rcs(at), 2, rcs(60)); lh <- drop(d %*% coef(f)[1:2]); se <- sqrt(rowSums((d %*% vcov(f)[1:2, 1:2]) * d))
R$spline <- list(knots = unname(k), at = at, reference = 60, hr = exp(lh), lower = exp(lh - qnorm(.975) * se), upper = exp(lh + qnorm(.975) * se), coef = unname(coef(f)),
  wald_nonlinear = unname(coef(f)[2]^2 / vcov(f)[2, 2]), lr_nonlinear = 2 * (f$loglik[2] - f0$loglik[2]))
# influence: likelihood displacement, score' V score
f <- coxph(Surv(time, status) ~ trt + karno + age, v); u <- residuals(f, "score"); R$displacement <- list(veteran = unname(rowSums((u %*% f$var) * u)))
write_ref(R, "16_cox_diagnostics.R")
