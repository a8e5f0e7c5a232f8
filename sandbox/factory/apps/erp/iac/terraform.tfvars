envs = ["prod", "sandbox"]
