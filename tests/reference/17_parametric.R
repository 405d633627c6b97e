# More parametric models, on R's own data: factors, interactions, weights, offset, a scale for each stratum, clusters,
# left and interval censoring, every distribution; Royston-Parmar models maximised here; pooling by mice; nomograms
# and optimism by rms and coxph.
source("common.R"); suppressPackageStartupMessages({library(numDeriv); library(rms)})
R <- list(`_meta` = list(title = "Parametric survival on R's own data; Royston-Parmar; Rubin's rules; nomogram; bootstrap", reference = "R survival::survreg, mice::pool.scalar, rms::nomogram"))
ctl <- survreg.control(maxiter = 200, rel.tolerance = 1e-12)
vet <- survival::veteran; vet$celltype <- as.character(vet$celltype); vet$w <- 0.5 + (seq_len(nrow(vet)) %% 4) / 2; vet$off <- 0.1 * (seq_len(nrow(vet)) %% 3)
R$inputs$param_veteran <- put_csv(vet, "param_veteran"); vet$celltype <- factor(vet$celltype, levels = c("squamous", "smallcell", "adeno", "large"))
lu <- survival::lung; lu$status <- as.integer(lu$status == 2); lu$visit_before <- floor(lu$time / 60) * 60; lu$visit_after <- ifelse(lu$status == 1, lu$visit_before + 60, NA)
lu$visit_before[lu$status == 0] <- lu$time[lu$status == 0]; lu$visit_before[lu$visit_before == 0] <- NA; lu$late <- ifelse(lu$time < 60, 60, lu$time); lu$seen <- as.integer(lu$time >= 60)
R$inputs$param_lung <- put_csv(lu, "param_lung")
pb <- survival::pbc; pb$death <- as.integer(pb$status == 2); pb$lbili <- log(pb$bili); pb <- pb[, c("time", "death", "age", "sex", "edema", "stage", "lbili", "albumin", "protime", "spiders")]; pb$sex <- as.character(pb$sex)
R$inputs$param_pbc <- put_csv(pb, "param_pbc"); pb$sex <- factor(pb$sex); pb$edema <- factor(pb$edema); pb$stage <- factor(pb$stage)
ds <- c("exponential", "weibull", "lognormal", "loglogistic"); nv <- data.frame(trt = c(1, 2), celltype = c("squamous", "smallcell"), karno = c(90, 40), age = c(50, 70)); M <- list()
for (d in ds) {
  M[[paste0("veteran_", d)]] <- aft_block(survreg(Surv(time, status) ~ trt + celltype + karno + age, vet, dist = d, control = ctl), nv, times = c(30, 90, 180, 365))
  M[[paste0("veteran_weighted_", d)]] <- aft_block(survreg(Surv(time, status) ~ celltype + karno, vet, weights = w, dist = d, control = ctl), nv[1, c("celltype", "karno")], times = c(30, 365))
  M[[paste0("pbc_factors_", d)]] <- aft_block(survreg(Surv(time, death) ~ age + sex + edema + stage + lbili + albumin + protime + spiders, pb, dist = d, control = ctl))
  M[[paste0("lung_visits_", d)]] <- aft_block(survreg(Surv(visit_before, visit_after, type = "interval2") ~ age + sex + ph.ecog, lu, dist = d, control = ctl), data.frame(age = c(50, 70), sex = c(2, 1), ph.ecog = c(0, 2)), times = c(90, 365))
  M[[paste0("lung_left_", d)]] <- aft_block(survreg(Surv(late, seen, type = "left") ~ age + sex, lu, dist = d, control = ctl))
}
for (d in c("gaussian", "logistic", "extreme", "rayleigh")) M[[paste0("veteran_", d)]] <- aft_block(survreg(Surv(time, status) ~ celltype + karno, vet, dist = d, control = ctl), nv[, c("celltype", "karno")], times = c(30, 365))
M$veteran_interaction <- aft_block(survreg(Surv(time, status) ~ trt * karno + celltype, vet, dist = "weibull", control = ctl))
M$veteran_offset <- aft_block(survreg(Surv(time, status) ~ karno + offset(off), vet, dist = "lognormal", control = ctl))
M$lung_gaussian_visits <- aft_block(survreg(Surv(visit_before, visit_after, type = "interval2") ~ age, lu, dist = "gaussian", control = ctl))
scales <- function(f, nd = NULL) { o <- aft_block(f); o$scale <- clean(f$scale); if (!is.null(nd)) { q <- predict(f, nd, type = "quantile", p = c(.1, .5, .9), se.fit = TRUE); o$newdata <- nd; o$quantiles <- list(p_event = c(.1, .5, .9), time = unname(as.matrix(q$fit)), se = unname(as.matrix(q$se.fit))) }; o }
M$veteran_strata_celltype <- scales(survreg(Surv(time, status) ~ karno + age + strata(celltype), vet, dist = "loglogistic", control = ctl, model = TRUE), data.frame(karno = c(60, 80, 30), age = c(60, 50, 70), celltype = c("squamous", "large", "adeno")))
M$veteran_strata_two <- scales(survreg(Surv(time, status) ~ karno + strata(trt, prior), vet, dist = "weibull", control = ctl, weights = w))
M$lung_strata_sex_lognormal <- scales(survreg(Surv(time, status) ~ age + ph.ecog + strata(sex), lu, dist = "lognormal", control = ctl, model = TRUE), data.frame(age = c(50, 70), ph.ecog = c(0, 2), sex = c(2, 1)))
f <- survreg(Surv(time, status) ~ age + sex + cluster(inst), lu[!is.na(lu$inst), ], dist = "weibull", control = ctl); o <- aft_block(f); o$naive_vcov <- unname(f$naive.var); M$lung_cluster <- o
R$models <- M
# Royston-Parmar: the likelihood written out, BFGS and then Newton, second derivatives checked against numerical ones
basis <- function(u, k, slope = FALSE) { a <- k[1]; b <- k[length(k)]; p <- function(x) pmax(x, 0); o <- if (slope) cbind(0, rep(1, length(u))) else cbind(1, u); for (m in k[-c(1, length(k))]) { l <- (b - m) / (b - a); o <- cbind(o, if (slope) 3 * (p(u - m)^2 - l * p(u - a)^2 - (1 - l) * p(u - b)^2) else p(u - m)^3 - l * p(u - a)^3 - (1 - l) * p(u - b)^3) }; unname(o) }
rp <- function(time, event, X, df, scale, times = NULL, new = NULL, w = rep(1, length(time))) { u <- log(time); k <- unname(quantile(u[event == 1], seq(0, 1, length.out = df + 1))); B <- cbind(basis(u, k), X); D <- cbind(basis(u, k, TRUE), 0 * X); e <- event == 1
  lf <- switch(scale, hazard = function(z) z - exp(z), odds = function(z) z - 2 * log1p(exp(z)), normal = function(z) dnorm(z, log = TRUE)); ls <- switch(scale, hazard = function(z) -exp(z), odds = function(z) -log1p(exp(z)), normal = function(z) pnorm(-z, log.p = TRUE))
  gf <- switch(scale, hazard = function(z) 1 - exp(z), odds = function(z) 1 - 2 * plogis(z), normal = function(z) -z); gs <- switch(scale, hazard = function(z) -exp(z), odds = function(z) -plogis(z), normal = function(z) -exp(dnorm(z, log = TRUE) - pnorm(-z, log.p = TRUE)))
  ll <- function(g) { z <- drop(B %*% g); s <- drop(D %*% g)[e]; if (any(s <= 0)) return(-1e10); sum(w * ifelse(e, lf(z) - u, ls(z))) + sum(w[e] * log(s)) }
  gr <- function(g) { z <- drop(B %*% g); s <- drop(D %*% g)[e]; drop(crossprod(B, w * ifelse(e, gf(z), gs(z)))) + drop(crossprod(D[e, , drop = FALSE], w[e] / s)) }
  ff <- switch(scale, hazard = function(z) -exp(z), odds = function(z) -2 * plogis(z) * plogis(-z), normal = function(z) rep(-1, length(z))); fs <- switch(scale, hazard = function(z) -exp(z), odds = function(z) -plogis(z) * plogis(-z), normal = function(z) { h <- -gs(z); -h * (h - z) })
  he <- function(g) { z <- drop(B %*% g); s <- drop(D %*% g)[e]; crossprod(B, w * ifelse(e, ff(z), fs(z)) * B) - crossprod(D[e, , drop = FALSE], w[e] / s^2 * D[e, , drop = FALSE]) }
  sr <- survreg(Surv(time, event) ~ X, weights = w, dist = switch(scale, hazard = "weibull", odds = "loglogistic", normal = "lognormal")); g <- c(-coef(sr)[1] / sr$scale, 1 / sr$scale, rep(0, df - 1), -coef(sr)[-1] / sr$scale)
  g <- optim(g, function(g) -ll(g), function(g) -gr(g), method = "BFGS", control = list(maxit = 5000, reltol = 1e-15))$par
  stopifnot(max(abs(he(g) / jacobian(gr, g) - 1)) < 1e-5); for (i in 1:8) g <- g - solve(he(g), gr(g)); V <- solve(-he(g))
  o <- list(knots = k, coef = I(unname(g)), loglik = ll(g), aic = -2 * ll(g) + 2 * length(g), gradient_left = max(abs(gr(g)))); o$se <- I(sqrt(diag(V)))
  if (!is.null(times)) { o$newdata <- as.list(as.data.frame(new)); z <- lapply(seq_len(nrow(new)), function(i) drop(cbind(basis(log(times), k), matrix(new[i, ], length(times), ncol(new), byrow = TRUE)) %*% g)); o$surv_at <- list(times = times, surv = lapply(z, function(z) exp(ls(z)))) }; o }
gb <- read.csv("inputs/gbsg.csv"); Xg <- as.matrix(gb[, c("hormon", "nodes", "age")]); ng <- rbind(c(1, 2, 50), c(0, 10, 60)); colnames(ng) <- colnames(Xg); tm <- 365.25 * c(0.5, 1, 3, 5, 10)
S <- list(); for (s in c("hazard", "odds", "normal")) for (d in 1:4) S[[paste0("gbsg_", s, "_", d)]] <- rp(gb$rfstime, gb$status, Xg, d, s, tm, ng)
Xv <- cbind(karno = vet$karno); S$veteran_weighted_3 <- rp(vet$time, vet$status, Xv, 3, "hazard", w = vet$w); for (n in names(S)) S[[n]]$gradient_left <- NULL
R$splines <- S
# Rubin's rules: twenty estimates with their variances, few and many complete-data degrees of freedom
Q <- c(0.51, 0.43, 0.61, 0.55, 0.39, 0.48, 0.57, 0.66, 0.5, 0.44, 0.53, 0.49, 0.58, 0.62, 0.47, 0.41, 0.56, 0.52, 0.6, 0.45); U <- 0.04 + 0.002 * (seq_along(Q) %% 5)
pl <- function(Q, U, n, k) { p <- mice::pool.scalar(Q, U, n = n, k = k); list(estimate = p$qbar, within = p$ubar, between = p$b, total = p$t, df = p$df, riv = p$r, fmi = p$fmi) }
R$pooling <- list(estimates = I(Q), variances = I(U), n30_k2 = pl(Q, U, 30, 2), n500_k5 = pl(Q, U, 500, 5), n_infinite = pl(Q, U, Inf, 1), five = pl(Q[1:5], U[1:5], 100, 1))
# Nomograms: cph with eps 1e-9 and as it comes; factors, and a protective number
vet$celltype <- factor(vet$celltype); dd <- datadist(vet); options(datadist = "dd"); nomo <- function(f, ...) { nm <- nomogram(f, ..., lp = TRUE); v <- setdiff(names(nm), c("total.points", "lp")); list(coef = clean(coef(f)), center = f$center, points = lapply(setNames(nm = v), function(n) list(points = I(unname(nm[[n]]$points)))), total_points_range = I(range(nm$total.points$x)), lp_axis = list(points = I(unname(nm$lp$x)), lp = I(unname(nm$lp$x.real)))) }
R$nomogram_veteran <- nomo(cph(Surv(time, status) ~ karno + celltype + age + trt, vet, x = TRUE, y = TRUE), karno = seq(10, 100, 10), age = seq(30, 80, 10), trt = 1:2)
R$nomogram_veteran_converged <- nomo(cph(Surv(time, status) ~ karno + celltype + age, vet, x = TRUE, y = TRUE, eps = 1e-9), karno = seq(0, 100, 20), age = c(40, 50, 80))
pn <- pb[complete.cases(pb), ]; dd <- datadist(pn); R$nomogram_pbc <- nomo(cph(Surv(time, death) ~ age + sex + edema + lbili + albumin, pn, x = TRUE, y = TRUE, method = "breslow"), age = seq(25, 80, 5), lbili = seq(-1, 4, 0.5), albumin = 2:5)
# Optimism with given resamples, a factor among the variables
set.seed(17); B <- 12; idx <- replicate(B, sample(nrow(vet), replace = TRUE)); lp <- function(f, d) drop(model.matrix(~ karno + celltype + age, d)[, -1] %*% coef(f)); cc <- function(f, d) { d$lp <- lp(f, d); concordance(Surv(time, status) ~ lp, d, reverse = TRUE)$concordance }; sl <- function(f, d) { d$lp <- lp(f, d); unname(coef(coxph(Surv(time, status) ~ lp, d))) }; fm <- Surv(time, status) ~ karno + celltype + age
f0 <- survival::coxph(fm, vet); bt <- apply(idx, 2, function(k) { f <- coxph(fm, vet[k, ]); c(cc(f, vet[k, ]), cc(f, vet), sl(f, vet)) }); R$bootstrap_veteran <- list(B = B, index_1based = lapply(seq_len(B), function(b) I(idx[, b])), c_apparent = cc(f0, vet), c_boot = I(bt[1, ]), c_test_on_original = I(bt[2, ]), optimism = mean(bt[1, ] - bt[2, ]), c_corrected = cc(f0, vet) - mean(bt[1, ] - bt[2, ]), slope_test = I(bt[3, ]), shrinkage = mean(bt[3, ]))
hr <- c(.5, 1.5, 2); R$schoenfeld <- list(alpha = .01, power = .9, allocation = .3, hr = hr, events = I((qnorm(.995) + qnorm(.9))^2 / (.3 * .7 * log(hr)^2)), p_event = .4, patients = I((qnorm(.995) + qnorm(.9))^2 / (.3 * .7 * log(hr)^2) / .4))
write_ref(R, "17_parametric.R")
