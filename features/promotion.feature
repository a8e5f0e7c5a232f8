@promotion
Feature: A change goes to production only when it survived the sandbox
  No infra, Vault, storage or DNS change reaches production until it was applied to the sandbox and survived the matching
  drill. What says so is the ledger, about exactly this change, over real components. Every repository and ledger here is a
  real one, made for the scenario; no target is needed.

  Scenario: A change that survived what its classes ask for may go
    Given a change of Argo CD that survived everything
    When the promotion gate judges it
    Then it says "promote"
    And every requirement is met by an entry of a ledger that is whole

  Scenario: The verdict is an exit code, a comment for the pull request, and an entry of the ledger itself
    Given a change of "argocd/values.yaml"
    And it survived all but "drill argocd-pruned"
    When npm run promote judges it
    Then it exits with 1, and its Markdown asks for "npm run drill -- run argocd-pruned"
    And the ledger has the verdict "red"

  Scenario: Where git cannot tell what the change is, the command says why, and the ledger keeps that it was asked
    Given a shallow clone
    When npm run promote judges it
    Then it exits with 2, and says "the clone is shallow"
    And the ledger has the verdict "cannot tell"

  Scenario Outline: <what> is no evidence
    Given a change of "argocd/values.yaml"
    And it survived all but "<requirement>"
    And of that requirement there is evidence, but <what>
    When the promotion gate judges it
    Then it says "not yet"
    And it says of "<requirement>" that "<says>"

    Examples:
      | requirement                    | what                                      | says                                             |
      | drill argocd-pruned          | nothing at all                            | nothing in the ledger was made with this commit  |
      | drill argocd-pruned          | made over a stand-in                      | argocd is a stand-in on embedded                 |
      | drill argocd-pruned          | made over a component of unknown origin   | argocd is of unknown origin                      |
      | drill argocd-pruned          | 40 days old                               | it is 40 days old, 35d are allowed               |
      | drill argocd-pruned          | dated in the future                       | a clock is wrong                                 |
      | drill argocd-pruned          | the drill failed                          | the drill was failed                             |
      | drill argocd-pruned          | failed after it had been survived         | the drill was failed                             |
      | drill argocd-pruned          | made before the runbook's section changed | nothing in the ledger was made with this commit  |
      | drill argocd-pruned          | made with uncommitted changes             | the checkout had uncommitted changes             |
      | drill argocd-pruned          | one of its files is gone                  | attachment missing                               |
      | feature features/parity.feature | a scenario was skipped                   | It still holds skipped                           |
      | feature features/parity.feature | only a part of it ran                    | only a part of its scenarios was run             |

  Scenario: The runbook that counts is the one of today, wherever it lies
    Given a change of "argocd/values.yaml" that survived everything, by a runbook outside of the repository
    When the runbook's section "Argo CD rollback" is changed
    And the promotion gate judges it
    Then it says "not yet"
    And it says of "drill argocd-pruned" that "was changed since"

  Scenario Outline: A change of <path> is asked for <requirement>
    Given a change of "<path>"
    When the promotion gate judges it
    Then it says "not yet"
    And it is of the class "<class>" and asked for "<requirement>"

    Examples:
      | path                            | class    | requirement               |
      | ansible/site.yml                | infra    | drill full-power-cut           |
      | ansible/roles/vault/tasks/x.yml | vault    | drill vault-seal          |
      | hashicorp-vault/iac/main.tf     | vault    | gate plan                 |
      | ansible/recover/longhorn.yml    | storage  | drill volume-corruption   |
      | dns/main.tf                     | dns      | gate dns                  |
      | postgres/iac/main.tf            | postgres | drill database-drop    |
      | argocd/values.yaml              | argocd   | gate render               |
      | pki/ca.json                     | pki      | drill pki-reissue         |
      | new-web-app/chart/values.yaml   | app      | feature features/canary.feature |

  Scenario: A plan says of what class a change is, whatever its files are called
    Given a change of "argocd/values.yaml"
    And a plan of it that changes a "vault_policy"
    When the promotion gate judges it
    Then it is of the class "vault" and asked for "drill vault-seal"

  Scenario: Evidence over a stand-in is answered with the target that would do
    Given a change of "ansible/recover/longhorn.yml"
    When the promotion gate judges it
    Then it says that "drill volume-corruption" can be had on "vms" alone

  Scenario: The same content counts, by whatever commit
    Given a change of Argo CD that survived everything
    When it is squashed into another commit
    And the promotion gate judges it
    Then it says "promote"

  Scenario: A branch that brings other rules is judged by those of its base
    Given a change of Argo CD that survived everything
    When the branch rewrites promotion.yml to ask for nothing
    And the promotion gate judges it
    Then it says "not yet"
    And it notes "judged by that of its base"

  Scenario Outline: <waiver>
    Given a change of "argocd/values.yaml" on a base that waives "<requirement>" until "<until>"
    And it survived all but "<requirement>"
    When the promotion gate judges it
    Then it says "<verdict>"
    And it shows the waiver, and that it "<worth>"

    Examples:
      | waiver                        | requirement                        | until    | verdict | worth           |
      | A waiver excuses a drill      | drill argocd-pruned              | tomorrow | promote | counts          |
      | A waiver ends                 | drill argocd-pruned              | 2026-01-31 | not yet | expired       |
      | No waiver covers isolation    | feature features/isolation.feature | tomorrow | not yet | are never waived |

  Scenario: A change cannot waive its own requirements
    Given a change of Argo CD that survived everything
    When the branch waives its own drill
    And the promotion gate judges it
    Then it says "not yet"
    And it notes "judged by that of its base"

  Scenario Outline: <what>: a clear answer
    Given <what>
    When the promotion gate judges it
    Then it says "<verdict>" because "<says>"

    Examples:
      | what                                     | verdict     | says                              |
      | a shallow clone                          | cannot tell | the clone is shallow              |
      | a branch without a difference            | cannot tell | no difference                     |
      | a path that no rule knows                | cannot tell | No rule knows unheard/of.txt      |
      | a base whose rules name an unknown class | cannot tell | change classes are infra, vault   |
      | a file that was only renamed             | not yet     | drill vault-seal                  |
      | a change of documents alone              | promote     | reaches no machine                |
      | a branch that lacks commits of its base  | not yet     | the branch contains its base      |
      | a branch that merged its base            | not yet     | drill argocd-pruned             |
      | a ledger of which an entry was changed   | cannot tell | is broken: changed                |
      | evidence of a later schema version       | not yet     | schema version is 2               |
