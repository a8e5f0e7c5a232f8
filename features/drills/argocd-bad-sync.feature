@drill @needs:apps
Feature: A broken commit is deployed, and the runbook takes it back
  Argo CD does what Git says, also when it should not: it prunes, it rolls out, it gives up. The journal keeps what it did;
  the rollback section brings the app back to Synced and Healthy, and no other app is touched.

  @drill:argocd-invalid-manifest @capability:ssh
  Scenario: A manifest that cannot be rendered
    When the drill "argocd-invalid-manifest" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section                         |
      | Argo CD deploys a broken commit |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived

  @drill:argocd-pruned @capability:ssh
  Scenario: A removed resource is pruned
    When the drill "argocd-pruned" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section                         |
      | Argo CD deploys a broken commit |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived

  @drill:argocd-wrong-image @capability:ssh
  Scenario: An image that does not exist
    When the drill "argocd-wrong-image" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section                         |
      | Argo CD deploys a broken commit |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived

  @drill:argocd-drift
  Scenario: A hand in the cluster, against selfHeal
    When the drill "argocd-drift" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section                         |
      | The cluster was changed by hand |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived
