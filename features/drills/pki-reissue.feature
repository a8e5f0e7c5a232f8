@drill @needs:apps @needs:pki @capability:ssh
Feature: The private CA has a new root, and the runbook brings trust in it everywhere
  Whoever initialises the CA again invalidates every certificate under the zone. Machines and pods are given the new root,
  cert-manager registers with the new CA, every certificate is issued again, and the old root is trusted nowhere.

  @drill:pki-reissue
  Scenario: The CA is initialised again
    When the drill "pki-reissue" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section                       |
      | The private CA has a new root |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived
