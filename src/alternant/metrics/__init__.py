from alternant.metrics._ratings import mae, rmse
