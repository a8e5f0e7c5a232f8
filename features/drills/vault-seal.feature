@drill @needs:apps @capability:ssh
Feature: Vault is sealed, and the runbook brings it back
  A sealed Vault leases nothing and injects nothing. The operator unseals it with the sandbox's own key shares; the secrets
  operator logs in anew; a secret changed afterwards reaches its pod, and leases renew.

  @drill:vault-seal
  Scenario: Vault is sealed by hand
    When the drill "vault-seal" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section         |
      | Vault is sealed |
      | The apps come back |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived

  @drill:vault-restart
  Scenario: Vault is restarted
    When the drill "vault-restart" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section         |
      | Vault is sealed |
      | The apps come back |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived
