@evidence
Feature: What a run left cannot be changed unseen
  Every run of suite, gate, drill, game day, reset and promotion is an entry of a chain of hashes, kept beside the reports and
  cleaned by no run. An auditor checks it offline.

  Scenario: A gate's run is an entry, with what it was made from
    When the DNS gate is run as its command, with a ledger of its own
    Then the ledger has one entry: kind "gate", verdict "green", of this commit
    And it is whole

  Scenario: A ledger that nobody touched is whole
    Given a ledger of 8 entries, signed
    When the ledger is verified from its first to its last byte
    Then it is whole

  Scenario Outline: <damage> is found and named
    Given a ledger of 8 entries, signed
    When somebody has <done>
    And the ledger is verified from its first to its last byte
    Then it is broken at entry <entry>: "<damage>"

    Examples:
      | done                                  | entry | damage             |
      | changed the verdict of entry 3        | 3     | changed            |
      | removed entry 3                       | 3     | removed            |
      | swapped entries 3 and 4               | 3     | reordered          |
      | repeated entry 2 after entry 4        | 5     | inserted           |
      | cut the file after entry 6            | 7     | truncated          |
      | rewritten entry 3 with its own hashes | 3     | signature bad      |
      | changed a file of entry 4             | 4     | attachment altered |
      | removed a file of entry 4             | 4     | attachment missing |
      | signed entry 3 with another key       | 3     | signature bad      |

  Scenario: What is carried away for one change proves itself
    Given a ledger of 8 entries, signed
    When entry 4 is exported to a folder
    Then the folder alone verifies, with 1 entry to read and 7 as links of the chain
    And coreutils agree about its files
