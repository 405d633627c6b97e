source("common.R"); suppressPackageStartupMessages(library(nnet))
R <- list(`_meta` = list(title = "More of Table 1 by group, weights, standardised survival and subgroups: several groups, tables of any size, factors, truncation, three arms", reference = "R stats, survival, nnet"))
rd <- function(n) read.csv(file.path("inputs", paste0(n, ".csv")), check.names = FALSE, na.strings = "")
cd <- rd("colon_death"); lung <- rd("lung"); my <- rd("myeloid")
# ---- Table 1, any number of groups ---------------------------------------------------------------
far <- function(m) { m <- m[upper.tri(m)]; m[which.max(abs(m))] }
smd_num <- function(x, g) { a <- split(x, g); k <- length(a); far(outer(1:k, 1:k, Vectorize(function(i, j) (mean(a[[j]], na.rm = TRUE) - mean(a[[i]], na.rm = TRUE)) / sqrt((var(a[[i]], na.rm = TRUE) + var(a[[j]], na.rm = TRUE)) / 2)))) }
smd_cat <- function(t) { p <- prop.table(t, 2); k <- ncol(p); one <- function(i, j) { if (i == j) return(0); T <- p[-1, j]; C <- p[-1, i]
  if (nrow(p) == 2) return((T - C) / sqrt((T * (1 - T) + C * (1 - C)) / 2))
  S <- (diag(T) - tcrossprod(T) + diag(C) - tcrossprod(C)) / 2; sqrt(drop(t(T - C) %*% solve(S, T - C))) }
  far(outer(1:k, 1:k, Vectorize(one))) }
t1 <- function(d, g, num, cat) { gg <- factor(d[[g]]); two <- nlevels(gg) == 2; s <- function(e) suppressWarnings(e)
  o <- list(n = I(as.vector(table(gg))))
  o$numeric <- lapply(setNames(nm = num), function(v) { x <- d[[v]]; b <- list(missing = I(as.vector(tapply(is.na(x), gg, sum))), mean = I(as.vector(tapply(x, gg, mean, na.rm = TRUE))), sd = I(as.vector(tapply(x, gg, sd, na.rm = TRUE))), median = I(as.vector(tapply(x, gg, median, na.rm = TRUE))), q1 = I(as.vector(tapply(x, gg, quantile, .25, na.rm = TRUE))), q3 = I(as.vector(tapply(x, gg, quantile, .75, na.rm = TRUE))), kruskal_p = kruskal.test(x, gg)$p.value, anova_p = oneway.test(x ~ gg, var.equal = TRUE)$p.value, welch_anova_p = oneway.test(x ~ gg)$p.value, smd = smd_num(x, gg))
    if (two) b <- c(b, list(welch_p = t.test(x ~ gg)$p.value, student_p = t.test(x ~ gg, var.equal = TRUE)$p.value, wilcoxon_p_corrected = s(wilcox.test(x ~ gg, exact = FALSE)$p.value), wilcoxon_p_uncorrected = s(wilcox.test(x ~ gg, exact = FALSE, correct = FALSE)$p.value)))
    b })
  o$categorical <- lapply(setNames(nm = cat), function(v) { t <- table(d[[v]], gg); list(counts = unclass(unname(as.matrix(t))), chisq_p = s(chisq.test(t, correct = FALSE)$p.value), chisq_yates_p = s(chisq.test(t)$p.value), fisher_p = tryCatch(fisher.test(t)$p.value, error = function(e) NA), smd = smd_cat(t)) })
  o }
R$table1_colon_by_rx <- t1(cd, "rx", c("age", "nodes", "time"), c("sex", "obstruct", "perfor", "extent"))
R$table1_lung_by_ecog <- t1(subset(lung, !is.na(ph.ecog) & ph.ecog < 3), "ph.ecog", c("age", "meal.cal", "wt.loss", "ph.karno", "pat.karno"), c("sex"))
R$table1_myeloid_by_trt <- t1(my, "trt", c("futime", "txtime", "crtime"), c("sex", "death"))
# ---- exact tests of small tables ----------------------------------------------------------------
tables <- list(tea = rbind(c(3, 1), c(1, 3)), mp6 = rbind(c(1, 2, 2, 1, 1, 0, 1), c(2, 0, 0, 2, 3, 0, 0), c(0, 1, 1, 1, 2, 7, 3), c(1, 1, 2, 0, 0, 0, 1), c(0, 1, 1, 1, 1, 0, 0)), long = cbind(c(41, 77, 38, 160, 84), c(61, 70, 49, 150, 66)), job = rbind(c(1, 2, 1, 0), c(3, 3, 6, 1), c(10, 10, 14, 9), c(6, 7, 12, 11)), ties = rbind(c(2, 3, 4), c(4, 3, 2), c(3, 3, 3)), rare = rbind(c(0, 5), c(20, 15), c(1, 0), c(3, 8)), wide = rbind(c(4, 2, 7, 1, 3), c(1, 5, 2, 6, 2)), steep = rbind(c(30, 2), c(5, 28), c(1, 0)))
R$fisher_tables <- lapply(tables, function(t) list(table = unname(lapply(1:nrow(t), function(i) I(t[i, ]))), p = fisher.test(t)$p.value))
set.seed(18); a <- round(rnorm(12), 3); b <- round(rnorm(9, .6), 3); w <- wilcox.test(a, b)
R$wilcoxon_exact <- list(a = I(a), b = I(b), statistic = unname(w$statistic), p = w$p.value)
# ---- weights ------------------------------------------------------------------------------------
W <- function(a, e) { pa <- mean(a); list(ate = a / e + (1 - a) / (1 - e), ate_stabilised = a * pa / e + (1 - a) * (1 - pa) / (1 - e), att = a + (1 - a) * e / (1 - e), overlap = a * (1 - e) + (1 - a) * e) }
weighted <- function(d, f, time, event, a, times, smd, cut = NULL) { ps <- glm(f, binomial, d); e <- fitted(ps); A <- d[[a]]; y <- Surv(d[[time]], d[[event]])
  list(ps_coef = I(unname(coef(ps))), ps_loglik = as.numeric(logLik(ps)), ps = I(unname(e)), estimands = lapply(W(A, e), function(w) {
    if (!is.null(cut)) w <- pmin(pmax(w, quantile(w, cut)), quantile(w, 1 - cut))
    g <- coxph(y ~ A, weights = w, robust = TRUE); s <- summary(survfit(y ~ A, weights = w), times = times, extend = TRUE); wm <- function(x) (weighted.mean(x[A == 1], w[A == 1]) - weighted.mean(x[A == 0], w[A == 0])) / sqrt((var(x[A == 1]) + var(x[A == 0])) / 2)
    list(weights_sum = sum(w), ess = c(treated = sum(w[A == 1])^2 / sum(w[A == 1]^2), control = sum(w[A == 0])^2 / sum(w[A == 0]^2)), loghr = unname(coef(g)), robust_se = unname(sqrt(g$var[1])), naive_se = unname(sqrt(g$naive.var[1])), weighted_km = list(time = s$time, surv = s$surv, std_err = s$std.err, lower = s$lower, upper = s$upper), weighted_smd = lapply(setNames(nm = smd), function(v) wm(d[[v]]))) })) }
d <- cd[complete.cases(cd[, c("differ", "nodes")]), ]; d$lev <- as.integer(d$rx == "Lev+5FU")
R$iptw_colon_lev <- weighted(d, lev ~ age + sex + factor(differ) + factor(extent) + nodes + obstruct, "time", "status", "lev", c(365, 1000, 2000), c("age", "nodes", "sex"))
l <- lung[complete.cases(lung[, c("ph.ecog", "wt.loss", "ph.karno")]), ]; l$male <- as.integer(l$sex == 1)
R$iptw_lung_truncated <- weighted(l, male ~ age + ph.karno + wt.loss + ph.ecog, "time", "status", "male", c(90, 365), c("age", "wt.loss"), cut = .05)
m <- multinom(factor(rx, levels = c("Obs", "Lev", "Lev+5FU")) ~ I(age / 10) + sex + factor(differ) + I(nodes / 10), d, trace = FALSE, maxit = 1000, reltol = 1e-15, abstol = 1e-15)
R$iptw_colon_three_arms <- list(ps_loglik = as.numeric(logLik(m)))
# ---- standardised survival, ties by Efron, and three arms ---------------------------------------
f <- coxph(Surv(time, status) ~ lev + age + sex + factor(differ) + nodes, d); at <- c(200, 1000, 2500); st <- function(h) { nd <- d; nd$lev <- h; rowMeans(summary(survfit(f, newdata = nd), times = at)$surv) }
R$g_formula_colon_efron <- list(surv_treated = I(st(1)), surv_control = I(st(0)))
# ---- subgroups ----------------------------------------------------------------------------------
forest <- function(d, sub) lapply(setNames(nm = sub), function(v) { k <- !is.na(d[[v]]); z <- lapply(split(d[k, ], d[k, v]), function(q) { f <- tryCatch(coxph(Surv(time, status) ~ trt, q), warning = function(w) NULL); if (is.null(f)) return(NULL); s <- summary(f)$conf.int; list(n = nrow(q), events = sum(q$status), hr = unname(s[1]), lower = unname(s[3]), upper = unname(s[4])) }); f0 <- coxph(as.formula(paste("Surv(time, status) ~ trt + factor(", v, ")")), d[k, ]); f1 <- suppressWarnings(coxph(as.formula(paste("Surv(time, status) ~ trt * factor(", v, ")")), d[k, ])); x <- 2 * (f1$loglik[2] - f0$loglik[2]); df <- length(coef(f1)) - length(coef(f0)); list(levels = z, interaction_lr_chisq = x, df = df, interaction_p = pchisq(x, df, lower.tail = FALSE)) })
l$trt <- l$male; R$subgroup_forest_lung <- forest(l, c("ph.ecog", "ph.karno"))
write_ref(R, "18_adjust.R")
