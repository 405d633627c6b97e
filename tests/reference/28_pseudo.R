# Jackknife pseudo-observations: prodlim::jackknife of Kaplan-Meier and Aalen-Johansen curves, and, with delayed
# entry, which prodlim has not, survfit with each patient left out in turn.
source("common.R"); suppressPackageStartupMessages(library(prodlim))
R <- list(`_meta` = list(title = "Pseudo-observations", reference = "R prodlim, survival"))
block <- function(fit, times, ...) list(times = I(times), pseudo = unname(as.matrix(jackknife(fit, times = times, ...))))
v <- read.csv("inputs/lung.csv"); v$dead <- as.integer(v$status == max(v$status)); v$months <- ceiling(v$time / 30)
R$lung <- block(prodlim(Hist(time, dead) ~ 1, data = v), c(4, 310, 731, 1022))
R$lung_months <- block(prodlim(Hist(months, dead) ~ 1, data = v), c(1, 12, 24.5))
m <- read.csv("inputs/comp_transplant.csv")
R$transplant <- lapply(c(cause_1 = 1, cause_2 = 2), function(k) block(prodlim(Hist(futime, ev) ~ 1, data = m), c(50, 500), cause = k))
h <- read.csv("inputs/channing.csv"); h <- h[h$age > h$ageentry, ]
times <- c(840, 960)
theta <- function(d) summary(survfit(Surv(ageentry, age, death) ~ 1, data = d, timefix = FALSE), times = times, extend = TRUE)$surv
n <- nrow(h); whole <- theta(h)
R$channing <- list(rows = I(as.integer(rownames(h))), times = I(times), pseudo = unname(t(sapply(seq_len(n), function(i) n * whole - (n - 1) * theta(h[-i, ])))))
write_ref(R, "28_pseudo.R")
