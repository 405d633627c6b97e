source("common.R"); suppressPackageStartupMessages({library(survMisc); library(maxstat)})
R <- list(`_meta` = list(title = "Comparisons of groups on R's own data sets: many groups and strata, delayed entry, survMisc, maxstat", reference = "R survival, survMisc, maxstat"))
v <- veteran; v$celltype <- as.character(v$celltype)
k <- kidney; k$disease <- as.character(k$disease)
r <- rats; r$sex <- as.character(r$sex)
h <- heart; h$transplant <- as.integer(as.character(h$transplant))
g <- mgus[, c("id", "age", "sex", "dxyr", "alb", "creat", "hgb", "mspike", "futime", "death")]; g$sex <- as.character(g$sex)
g$twelfth <- as.integer(cut(rank(g$age, ties.method = "first"), 12, labels = FALSE))
# groups that differ in when they are followed: one leaves before any event, two are never beside the other two
set.seed(13); a <- data.frame(time = c(1, 1, 2, round(runif(37, 3, 30))), event = c(0, 0, 0, rbinom(37, 1, .6)), group = c("z", "z", "z", sample(c("a", "b", "c"), 37, TRUE)), site = sample(9, 40, TRUE), score = round(rnorm(40), 1))
a$site[c(5, 17)] <- NA; a$group[9] <- NA
b <- data.frame(time = ceiling(rexp(2500) * 400), event = rbinom(2500, 1, .7), group = rep(1:250, each = 10), site = sample(60, 2500, TRUE))
R$inputs <- list(put_csv(v, "13_veteran"), put_csv(k, "13_kidney"), put_csv(r, "13_rats"), put_csv(h, "13_heart"), put_csv(g, "13_mgus"), put_csv(a, "13_awkward"), put_csv(b, "13_many"))
slim <- function(x) { x$var <- NULL; x }
R$logrank <- list(
  veteran_celltype_rho2 = lr_one(Surv(time, status) ~ celltype, v, 2), veteran_trt_rho_minus1 = lr_one(Surv(time, status) ~ trt, v, -1),
  veteran_two_factors = lr_one(Surv(time, status) ~ celltype + trt, v, 0), veteran_two_strata = lr_one(Surv(time, status) ~ trt + strata(celltype, prior), v, .5),
  kidney_disease_by_patient = lr_one(Surv(time, status) ~ sex + strata(disease), k, 1), rats_litters = lr_one(Surv(time, status) ~ rx + strata(litter), r, 0),
  mgus_twelfths = lr_one(Surv(futime, death) ~ twelfth + strata(sex), g, 1),
  awkward = lr_one(Surv(time, event) ~ group, a, 0), awkward_strata = lr_one(Surv(time, event) ~ group + strata(site), subset(a, group %in% c("a", "b")), 1),
  many_groups = slim(lr_one(Surv(time, event) ~ group, b, 0)), many_strata = slim(lr_one(Surv(time, event) ~ I(group %% 5) + strata(site), b, 1)))
W <- function(d, t, s, gr) { i <- complete.cases(d[, c(t, s, gr)]); wlr_set(d[i, t], d[i, s], d[i, gr]) }
R$weighted_logrank <- list(veteran_celltype = W(v, "time", "status", "celltype"), rats_rx = W(r, "time", "status", "rx"), kidney_disease = W(k, "time", "status", "disease"))
# delayed entry: the score test of a Cox model whose ties are exact is the log-rank test
ex <- function(f, d) { m <- coxph(f, d, method = "exact"); list(call = deparse1(f), chisq = m$score, df = length(coef(m))) }
h2 <- within(h, { start <- round(start); stop <- ceiling(stop); stop <- pmax(stop, start + 1) }); R$inputs$heart2 <- put_csv(h2, "13_heart_ties")
g$entry <- floor(g$futime / 7) * (g$dxyr > 70) / 2; R$inputs$mgus <- put_csv(g, "13_mgus")
R$delayed_entry <- list(heart = ex(Surv(start, stop, event) ~ factor(transplant), h2), heart_surgery = ex(Surv(start, stop, event) ~ surgery + strata(transplant), h2),
  mgus_sex = ex(Surv(entry, futime, death) ~ sex, subset(g, entry < futime)), mgus_thirds = ex(Surv(entry, futime, death) ~ factor(ceiling(twelfth / 4)), subset(g, entry < futime)))
sm <- function(f, d, scores = NULL) { x <- ten(do.call(survfit, list(f, data = d))); args <- list(x, p = c(1, 0, .5), q = c(0, 1, 2)); if (!is.null(scores)) args$scores <- scores; capture.output(do.call(comp, args))
  z <- attr(x, "tft")$tft; list(groups = as.data.frame(attr(x, "lrt")), trend = if (is.null(z)) NULL else as.data.frame(z)) }
R$survmisc <- list(veteran_celltype = sm(Surv(time, status) ~ celltype, v), veteran_celltype_scores = sm(Surv(time, status) ~ celltype, v, c(0, 1, 5, 7)), veteran_trt = sm(Surv(time, status) ~ trt, v),
  kidney_disease = sm(Surv(time, status) ~ disease, k), rats_sex = sm(Surv(time, status) ~ sex, r), mgus_twelfths = sm(Surv(futime, death) ~ twelfth, g))
R$pairwise <- list(mgus_twelfths = with(g, pairwise_lr(futime, death, twelfth)), kidney_disease = with(k, pairwise_lr(time, status, disease)))
mx <- function(f, d, p, minprop = .1, maxprop = 1 - minprop) { x <- d[[all.vars(f)[3]]]; y <- d[!is.na(x), ]; m <- maxstat.test(f, data = y, smethod = "LogRank", pmethod = p, minprop = minprop, maxprop = maxprop)
  list(method = p, cutpoint = unname(m$estimate), statistic = unname(m$statistic), p = unname(m$p.value), minprop = minprop, maxprop = maxprop, cuts = I(m$cuts), stats = I(m$stats)) }
S <- function(f, d, ...) lapply(setNames(nm = c("Lau94", "Lau92", "HL")), function(p) mx(f, d, p, ...))
R$maxstat <- list(veteran_karno = S(Surv(time, status) ~ karno, v), veteran_age = S(Surv(time, status) ~ age, v, .25), kidney_age = S(Surv(time, status) ~ age, k, .2, .95), awkward_score = S(Surv(time, event) ~ score, a))
set.seed(1); R$maxstat_gauss <- list(note = "pmvnorm is Monte Carlo: about 1e-3", veteran_age = mx(Surv(time, status) ~ age, v, "exactGauss", .25)$p, kidney_age = mx(Surv(time, status) ~ age, k, "exactGauss")$p, awkward_score = mx(Surv(time, event) ~ score, a, "exactGauss")$p)
R$p_adjust <- lapply(setNames(nm = c("bonferroni", "holm", "BH")), function(m) p.adjust(c(.01, .02, NA, .02, .5, 1e-9, 1, .04), m))
write_ref(R, "13_comparisons.R")
