# Elastic net Cox paths, converged further than glmnet's usual threshold: ties, weights, unpenalised
# columns, own folds. glmnet 4.1-6 over R's own data sets and the gene expression of 06.
source("common.R"); suppressPackageStartupMessages(library(glmnet))
glmnet.control(epsnr = 1e-15)
R <- list(`_meta` = list(title = "Elastic net Cox paths, tightly converged", reference = "R glmnet"))
path <- function(f) list(lambda = I(f$lambda), dev_ratio = I(f$dev.ratio), nulldev = f$nulldev, coef = lapply(seq_along(f$lambda), function(j) I(unname(as.matrix(coef(f))[, j]))))
g <- read.csv("inputs/gse7390.csv", check.names = FALSE); feat <- setdiff(names(g), c("t.tdm", "e.tdm", "age", "size", "grade", "er")); X <- as.matrix(g[, feat]); y <- Surv(g$t.tdm, g$e.tdm)
R$gse7390 <- lapply(list(lasso = 1, elastic_net_05 = .5), function(a) { f <- glmnet(X, y, family = "cox", alpha = a, nlambda = 30, lambda.min.ratio = .05, thresh = 1e-22, maxit = 1e8)
  cv <- cv.glmnet(X, y, family = "cox", alpha = a, lambda = f$lambda, foldid = rep_len(1:5, nrow(X)), thresh = 1e-20, maxit = 1e8, grouped = TRUE)
  c(list(alpha = a, features = I(feat)), path(f), list(cv_mean_deviance = I(cv$cvm), cv_se = I(cv$cvsd), lambda_min = cv$lambda.min, lambda_1se = cv$lambda.1se)) })
# many ties: months; weights; a column that is not penalised
v <- read.csv("inputs/lung.csv"); v <- v[complete.cases(v[, c("age", "sex", "ph.ecog", "ph.karno", "wt.loss")]), ]; x <- as.matrix(v[, c("age", "sex", "ph.ecog", "ph.karno", "wt.loss")]); yt <- Surv(ceiling(v$time / 30), v$status == max(v$status)); w <- 1 + (seq_len(nrow(x)) %% 3) / 2
one <- function(...) path(glmnet(..., family = "cox", nlambda = 12, lambda.min.ratio = .01, thresh = 1e-22, maxit = 1e8))
R$lung_ties <- list(rows = I(as.integer(rownames(v))), months = one(x, yt), weighted = one(x, yt, weights = w), factors = one(x, yt, penalty.factor = c(0, 1, 2, 1, 1), alpha = .5))
cvw <- cv.glmnet(x, yt, family = "cox", weights = w, lambda = R$lung_ties$weighted$lambda, foldid = rep_len(1:4, nrow(x)), thresh = 1e-20, maxit = 1e8); R$lung_ties$weighted_cv <- list(cv_mean_deviance = I(cvw$cvm), cv_se = I(cvw$cvsd), lambda_min = cvw$lambda.min, lambda_1se = cvw$lambda.1se)
write_ref(R, "26_penalised.R")
