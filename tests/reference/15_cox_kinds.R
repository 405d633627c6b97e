# Cox models of every kind, on R's own data sets: ties, strata, weights, clusters, entry, recurrent events, columns
# that change with time, offsets, ridges, case-cohort sampling, splines, and concordance with its time weights.
source("common.R")
suppressPackageStartupMessages(library(Hmisc))
R <- list(`_meta` = list(title = "Cox models and concordance on R's own data sets", reference = "R survival"))
plain <- function(d) { d <- as.data.frame(d); for (k in names(d)) if (is.factor(d[[k]])) d[[k]] <- as.character(d[[k]]); d }
block <- function(f) cox_block(f, zph = FALSE); C <- list(); V <- list()
h <- heart; h$transplant <- as.integer(as.character(h$transplant)); h <- as.data.frame(h); R$inputs$heart <- put_csv(h, "15_heart")
v <- veteran; v$w <- rep(c(0.5, 1, 2.25, 1.5, 3), length.out = nrow(v)); v$freq <- rep(1:3, length.out = nrow(v)); v$time[c(3, 40)] <- v$time[c(3, 40)] + c(1e-10, -1e-10); R$inputs$veteran <- put_csv(plain(v), "15_veteran")
g <- as.data.frame(cgd); g$treat <- factor(as.character(g$treat), levels = c("placebo", "rIFN-g")); g <- g[, c("id", "treat", "age", "steroids", "inherit", "tstart", "tstop", "status", "enum")]; R$inputs$cgd <- put_csv(plain(g), "15_cgd")
k <- as.data.frame(kidney); k$disease <- factor(as.character(k$disease), levels = c("Other", "GN", "AN", "PKD")); R$inputs$kidney <- put_csv(plain(k), "15_kidney")
set.seed(7); nw <- nwtco[sample(nrow(nwtco), 900), ]; nw <- nw[order(nw$seqno), ]; nw$age <- nw$age / 12; size <- nrow(nw); nw$stage <- factor(nw$stage); nw$histol <- factor(nw$histol)
cc <- subset(nw, rel == 1 | in.subcohort); cc$inside <- as.integer(cc$in.subcohort); cc$in.subcohort <- NULL; R$inputs$nwtco <- put_csv(plain(cc), "15_nwtco")
# recurrent events: Andersen-Gill, Prentice-Williams-Peterson in total and gap time, marginal
C$cgd_andersen_gill <- block(coxph(Surv(tstart, tstop, status) ~ treat + age + inherit, g, cluster = id))
C$cgd_andersen_gill_breslow <- block(coxph(Surv(tstart, tstop, status) ~ treat + age + steroids, g, cluster = id, ties = "breslow"))
C$cgd_total_time <- block(coxph(Surv(tstart, tstop, status) ~ treat + age + strata(enum), g, cluster = id, subset = enum < 4))
C$cgd_gap_time <- block(coxph(Surv(tstop - tstart, status) ~ treat * age + strata(enum), g, cluster = id, subset = enum < 4))
C$kidney_robust <- block(coxph(Surv(time, status) ~ age + sex + disease, k, cluster = id))
C$kidney_strata <- block(coxph(Surv(time, status) ~ age + sex + strata(disease), k, robust = TRUE))
C$kidney_many_strata <- block(coxph(Surv(time, status) ~ age + frail + strata(id), k))
# counting process; column that changes with time; interactions
C$heart_efron <- block(coxph(Surv(start, stop, event) ~ age + year + surgery * transplant, h))
C$heart_cluster <- block(coxph(Surv(start, stop, event) ~ age + transplant, h, cluster = id))
C$heart_weights_breslow <- block(coxph(Surv(start, stop, event) ~ age + transplant, transform(h, w = 1 + (id %% 3) / 2), weights = w, ties = "breslow"))
C$heart_offset_strata <- block(coxph(Surv(start, stop, event) ~ year + transplant + offset(age / 20) + strata(surgery), h))
# weights, whole and broken; a factor with another reference; two strata; rounding noise in the times
C$veteran_weights <- block(coxph(Surv(time, status) ~ relevel(celltype, "large") + karno, v, weights = w))
C$veteran_frequencies <- block(coxph(Surv(time, status) ~ celltype + karno, v, weights = freq))
C$veteran_weights_naive <- block(coxph(Surv(time, status) ~ trt + karno + strata(celltype, prior), v, weights = w, robust = FALSE))
C$veteran_factor_by_factor <- block(coxph(Surv(time, status) ~ factor(trt) * celltype + karno, v))
C$veteran_offset_weights <- block(coxph(Surv(time, status) ~ trt + age + offset(-0.03 * karno), v, weights = w))
v2 <- survSplit(Surv(time, status) ~ ., data = v, cut = c(60, 150), episode = "part"); R$inputs$split <- put_csv(plain(v2), "15_split")
C$veteran_step <- block(coxph(Surv(tstart, time, status) ~ trt + karno:strata(part), v2))
C$veteran_exact_strata <- block(coxph(Surv(trunc(time / 10) + 1, status) ~ trt + karno + celltype + strata(prior), v, ties = "exact"))
C$kidney_exact_offset <- block(coxph(Surv(trunc(time / 40), status) ~ age + sex + offset(frail / 2), k, ties = "exact"))
short <- function(f) list(coef = I(unname(coef(f))), se = I(unname(sqrt(diag(vcov(f))))), loglik = f$loglik)
C$veteran_tt <- short(coxph(Surv(time, status) ~ trt + karno + tt(karno), v, tt = function(x, t, ...) x * log(t + 20)))
C$veteran_tt_strata_weights <- short(coxph(Surv(time, status) ~ karno + tt(karno) + strata(celltype), v, weights = w, robust = FALSE, tt = function(x, t, ...) x * t / 100))
C$heart_tt <- short(coxph(Surv(start, stop, event) ~ age + transplant + tt(age), h, tt = function(x, t, ...) x * sqrt(t), ties = "breslow"))
pen <- function(f) c(short(f), list(var = unname(f$var), var2 = unname(f$var2)))
C$veteran_ridge <- pen(coxph(Surv(time, status) ~ ridge(trt, karno, age, prior, theta = 5, scale = FALSE), v))
C$veteran_ridge_scaled <- pen(coxph(Surv(time, status) ~ ridge(trt, karno, age, diagtime, theta = 20), v, ties = "breslow"))
C$heart_ridge_scaled <- pen(coxph(Surv(start, stop, event) ~ ridge(age, year, surgery, transplant, theta = 3, scale = TRUE), h))
for (m in c("Prentice", "SelfPrentice", "LinYing")) { z <- cch(Surv(edrel, rel) ~ stage + histol + age, data = cc, subcoh = ~inside, id = ~seqno, cohort.size = size, method = m); s <- summary(z)$coefficients
  C[[paste0("nwtco_", m)]] <- list(coef = unname(s[, 1]), se = unname(s[, 2])) }
R$cohort_size <- size
q <- quantile(v$karno, c(.05, .35, .65, .95)); z <- rcspline.eval(v$age, nk = 5, inclx = TRUE); kn <- attr(z, "knots"); f <- coxph(Surv(time, status) ~ z + trt, v)
C$veteran_spline <- c(short(f), list(knots = unname(kn), basis_first5 = unname(z[1:5, ])))
R$models <- C
V$veteran_karno <- conc_set(Surv(time, status) ~ karno, v)
V$veteran_weights <- { w <- c("n", "S", "S/G", "n/G2", "I"); lapply(setNames(nm = w), function(tw) { cc <- concordance(Surv(time, status) ~ karno, v, weights = w, timewt = tw, reverse = TRUE, ymax = 300); list(c = unname(cc$concordance), se = sqrt(as.numeric(cc$var)), counts = cc$count, ymax = 300) }) }
V$veteran_clusters <- { w <- c("n", "S", "S/G", "n/G2", "I"); lapply(setNames(nm = w), function(tw) { cc <- concordance(Surv(time, status) ~ age, v, cluster = v$diagtime, timewt = tw, reverse = TRUE); list(c = unname(cc$concordance), se = sqrt(as.numeric(cc$var)), counts = cc$count) }) }
V$heart_entry <- { cc <- concordance(Surv(start, stop, event) ~ age, h, reverse = TRUE); list(n = list(c = unname(cc$concordance), se = sqrt(as.numeric(cc$var)), counts = cc$count)) }
R$concordance_variants <- V
write_ref(R, "15_cox_kinds.R")
