@erp @needs:apps
Feature: What an agent wrote reaches production only by a person's hand
  The agent rehearses in the sandbox. What it changed is read from the database, not from its word; a person reviews it and
  confirms exactly that; the replay uses a credential that exists only for it (ADR-0003, section 4).

  Background:
    Given a golden of production
    And the sandbox was reset to that golden
    And a session was begun

  Scenario: A reviewed changeset is replayed once, and production holds exactly what it says
    When an agent works in the sandbox over its API
    Then the checks over its API show exactly what the agent did:
      | check                    |
      | data snapshot            |
      | VAT summary              |
      | payments state           |
      | invoice audit            |
      | third-party completeness |
    When the session ends
    Then the changeset has rows made, changed and deleted, with what was there before and after
    And the changeset shows a change of "email" in "llx_societe [2]"
    Given the checks over production's API were made
    When a person at the terminal confirms the changeset's hash
    Then it is replayed, and every row of production is as the changeset says
    And of production's parts only those of the changeset have changed
    And the checks over production's API show the same changes as in the sandbox:
      | check                    |
      | data snapshot            |
      | VAT summary              |
      | payments state           |
      | invoice audit            |
      | third-party completeness |
    And the credential of the replay is gone
    When a person at the terminal confirms the changeset's hash once more
    Then it is refused because "it was replayed before"

  Scenario: At a real terminal only the whole hash means yes
    When an agent works in the sandbox over its API
    And the session ends
    Then at a real terminal each of these is refused:
      | typed                    | exit code | says            |
      | another hash             | 3         | one of 0000     |
      | the hash without its end | 3         | Seen: one of    |
      | yes                      | 3         | one of yes      |
      | Enter alone              | 3         | Seen: none      |
      | Ctrl-D                   | 3         | Seen: none      |
      | Ctrl-C                   | 3         | Seen: none      |
    And production's content is still what it was
    When a person types the hash of the changeset at a real terminal
    Then it is replayed, and every row of production is as the changeset says
    And the credential of the replay is gone
    And at a real terminal each of these is refused:
      | typed                     | exit code | says                   |
      | the hash of the changeset | 3         | it was replayed before |

  Scenario Outline: A replay is refused when <what>
    When an agent works in the sandbox over its API
    And the session ends
    And <what>
    Then it is refused because "<words>"
    And production's content is still what it was

    Examples:
      | what                                          | words                               |
      | the changeset is changed                      | it was changed after it was made    |
      | a row it changes has moved in production      | has been changed since              |
      | a row it relies on has moved in production    | has been changed since              |
      | a number it uses was given in production      | sequence                            |
      | the confirmation is for another hash          | one of 0000                         |
      | nobody sits at the terminal                   | no terminal                         |
      | the sandbox's own credential is used          | a user in erp-sandbox               |
