Feature: A new web app is provisioned through every system by its name alone
  The platform wires its bricks by one name: repository, database, owner role, Vault policies and roles, namespace,
  Application. The canary is a throwaway app that follows the new-web-app runbook; a letter wrong anywhere breaks it.

  @needs:apps
  Scenario: The canary passes every link of the convention chain and leaves nothing behind
    Given the throwaway app "canary" from the new-web-app template
    When the convention chain is driven link by link
    Then these links hold:
      | link           | what it proves                                                                      |
      | repository     | Gitea repository from the template                                                  |
      | database       | database, owner role, grants, lookup function of PgBouncer                          |
      | vault-policies | policies of runtime and CI allow their own paths and no other app's                 |
      | ci-role        | the repository's own CI token gets exactly its policies, another's is refused       |
      | app-iac        | the app's own iac, applied with that token, makes its Vault roles and config        |
      | credentials    | leased credentials log in through PgBouncer as a member of the owner role only      |
      | application    | the app-of-apps renders the Application and Argo CD syncs it                        |
      | secret         | the secrets operator leases and injects the secrets that the pod mounts             |
      | pod            | the pod is Running                                                                  |
      | serving        | it serves a database round trip as the leased user, acting as the owner role        |
      | health         | Argo CD calls the Application Synced and Healthy                                    |
    When the canary is taken out of every system
    Then nothing of it is left in any system

  @needs:apps
  Scenario Outline: A typo in the <artefact> breaks the chain at link <link>
    Given the throwaway app "canary" from the new-web-app template
    And a typo in the <artefact>
    When the convention chain is driven link by link
    Then the chain breaks at link "<link>"
    And the likely cause mentions "<cause>"

    Examples:
      | artefact                         | link           | cause                              |
      | repository name                  | repository     | the name given to the new repo     |
      | database                         | database       | postgres/iac                       |
      | owner role                       | database       | postgres/iac                       |
      | grant                            | database       | pgbouncer                          |
      | policy path                      | vault-policies | module app_policy                  |
      | CI role                          | ci-role        | gitea_cicd_canary                  |
      | Kubernetes role's namespace      | app-iac        | bound_service_account_namespaces   |
      | Kubernetes role's ServiceAccount | app-iac        | bound_service_account_names        |
      | chart path                       | application    | path                               |
      | secret's mount                   | secret         | the mount or path                  |
      | secret's path                    | secret         | the mount or path                  |
      | secret's key                     | secret         | a key in the chart                 |
      | image                            | pod            | no such image                      |
