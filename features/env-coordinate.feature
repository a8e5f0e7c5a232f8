@env-coordinate
Feature: One app, several environments, one rule for every name
  An app has environments. prod elides: its names are the app's own. Every other environment is <app>-<env> everywhere, but
  for the owner role of its database, which is in snake case. Repository, chart and CI role are shared.

  @needs:apps
  Scenario: Every instance bears its names in every system and in every plan
    Given these instances:
      | instance            | database            | owner role               | namespace           | credentials                        | config                          | application         | host                              | repository          | CI role                        |
      | webapp              | webapp              | webapp_role              | webapp              | postgres/creds/webapp              | kvv2/webapp/config              | webapp              | webapp.arcodange.lab              | webapp              | gitea_cicd_webapp              |
      | erp                 | erp                 | erp_role                 | erp                 | postgres/creds/erp                 | kvv2/erp/config                 | erp                 | erp.arcodange.lab                 | erp                 | gitea_cicd_erp                 |
      | erp-sandbox         | erp-sandbox         | erp_sandbox_role         | erp-sandbox         | postgres/creds/erp-sandbox         | kvv2/erp-sandbox/config         | erp-sandbox         | erp-sandbox.arcodange.lab         | erp                 | gitea_cicd_erp                 |
      | crowdsec            | crowdsec            | crowdsec_role            | crowdsec            | postgres/creds/crowdsec            | kvv2/crowdsec/config            | crowdsec            | crowdsec.arcodange.lab            | crowdsec            | gitea_cicd_crowdsec            |
      | plausible           | plausible           | plausible_role           | plausible           | postgres/creds/plausible           | kvv2/plausible/config           | plausible           | plausible.arcodange.lab           | plausible           | gitea_cicd_plausible           |
      | dance-lessons-coach | dance-lessons-coach | dance-lessons-coach_role | dance-lessons-coach | postgres/creds/dance-lessons-coach | kvv2/dance-lessons-coach/config | dance-lessons-coach | dance-lessons-coach.arcodange.lab | dance-lessons-coach | gitea_cicd_dance-lessons-coach |
      | cms                 | cms                 | cms_role                 | cms                 | postgres/creds/cms                 | kvv2/cms/config                 | cms                 | cms.arcodange.lab                 | cms                 | gitea_cicd_cms                 |
      | url-shortener       | url-shortener       | url-shortener_role       | url-shortener       | postgres/creds/url-shortener       | kvv2/url-shortener/config       | url-shortener       | url-shortener.arcodange.lab       | url-shortener       | gitea_cicd_url-shortener       |
      | telegram-gateway    | telegram-gateway    | telegram-gateway_role    | telegram-gateway    | postgres/creds/telegram-gateway    | kvv2/telegram-gateway/config    | telegram-gateway    | telegram-gateway.arcodange.lab    | telegram-gateway    | gitea_cicd_telegram-gateway    |
    Then each bears these names in the live system
    And the live system has no others
    And the plans of the root modules give the same names

  @needs:apps
  Scenario: A runtime policy reaches its own instance, an ops policy its app's family and no further
    Then Vault judges these policies so:
      | policy      | path                             | allows                       |
      | erp         | postgres/creds/erp               | read                         |
      | erp         | kvv2/data/erp/config             | read                         |
      | erp         | postgres/creds/erp-sandbox       | deny                         |
      | erp         | kvv2/data/erp-sandbox/config     | deny                         |
      | erp-sandbox | postgres/creds/erp-sandbox       | read                         |
      | erp-sandbox | kvv2/data/erp-sandbox/config     | read                         |
      | erp-sandbox | postgres/creds/erp               | deny                         |
      | erp-sandbox | kvv2/data/erp/config             | deny                         |
      | erp-sandbox | postgres/roles/erp-sandbox       | deny                         |
      | erp-ops     | postgres/roles/erp               | create, delete, read, update |
      | erp-ops     | postgres/roles/erp-sandbox       | create, delete, read, update |
      | erp-ops     | postgres/roles/erp-staging       | create, delete, read, update |
      | erp-ops     | auth/kubernetes/role/erp-sandbox | create, delete, read, update |
      | erp-ops     | kvv2/data/erp-sandbox/config     | create, delete, read, update |
      | erp-ops     | postgres/roles/erpx              | deny                         |
      | erp-ops     | postgres/roles/webapp            | deny                         |
      | erp-ops     | auth/kubernetes/role/webapp      | deny                         |
      | erp-ops     | kvv2/data/webapp/config          | deny                         |
      | erp-ops     | kvv2/data/postgres/credentials   | deny                         |
      | erp-ops     | postgres/creds/erp               | deny                         |
      | erp-ops     | sys/policies/acl/erp-ops         | deny                         |
      | webapp-ops  | postgres/roles/webapp            | create, delete, read, update |
      | webapp-ops  | postgres/roles/erp               | deny                         |
      | webapp-ops  | postgres/roles/erp-sandbox       | deny                         |

  @needs:apps
  Scenario: Adding an environment resolves the whole chain and leaves every other instance alone
    Given the environment "sandbox" is added to the app "webapp"
    Then every plan only creates what belongs to "webapp-sandbox"
    And the existing instances of the app render as before
    When the environment is activated link by link
    Then these links of "webapp-sandbox" hold:
      | link           |
      | repository     |
      | database       |
      | vault-policies |
      | ci-role        |
      | app-iac        |
      | credentials    |
      | application    |
      | secret         |
      | pod            |
      | serving        |
      | health         |
    And every other instance runs in the same pods
    When the environment is taken back
    Then nothing of it is left
