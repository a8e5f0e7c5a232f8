applications = [
  { name = "webapp" },
  { name = "erp", envs = ["prod", "sandbox"], golden = true },
  { name = "crowdsec" },
  { name = "plausible" },
  { name = "dance-lessons-coach" },
  { name = "cms" },
  { name = "url-shortener" },
  { name = "telegram-gateway" },
]
