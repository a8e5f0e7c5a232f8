@erp @needs:apps
Feature: The ERP's sandbox goes back to golden in one command
  An agent may write to erp-sandbox freely. A reset drops everything the app's role owns there, restores a golden copy of
  production's tables, and lays over it what makes it a sandbox. It uses the sandbox's own leased credentials and no others
  (ADR-0003). Production is only ever read.

  Background:
    Given a golden of production

  Scenario: A reset undoes an agent's session to the last column and sequence, twice in a row
    Given the sandbox was reset to that golden
    When an agent works in the sandbox over its API
    Then the checks over its API show exactly what the agent did:
      | check                    |
      | data snapshot            |
      | VAT summary              |
      | payments state           |
      | invoice audit            |
      | third-party completeness |
    And the sandbox is no longer the golden, in these parts among others:
      | part                    |
      | llx_societe             |
      | llx_facture             |
      | llx_facturedet          |
      | llx_paiement            |
      | llx_facture_rowid_seq   |
      | llx_product_rowid_seq   |
      | llx_paiement_rowid_seq  |
    When the sandbox is reset to that golden
    Then what was restored is exactly the golden
    And the overlay changed nothing but:
      | part                      |
      | llx_user                  |
      | llx_user_rights           |
      | llx_user_rights_rowid_seq |
    And the sandbox serves and shows the agent's writes no more
    And what the provisioner owns in the sandbox's database are the same objects as before
    When the sandbox is reset to that golden
    Then it holds exactly what it held after the reset before
    And production's content is still that of the golden

  Scenario: A reset takes place while writes are under way and connections are open
    Given connections to the sandbox's database are open, directly and through PgBouncer
    And an agent writes to the sandbox without a pause
    When the sandbox is reset to that golden
    Then what was restored is exactly the golden
    And the sandbox serves and shows the agent's writes no more
    And production's content is still that of the golden

  Scenario: No power beyond the sandbox's own is needed, and without its own nothing is done
    When the sandbox is reset to that golden
    Then it was done by a user leased from "postgres/creds/erp-sandbox"
    And such a user is a member of "erp_sandbox_role" alone and has no power of its own or by membership
    And the golden was taken by a user that every write is refused to
    When leased users are no longer made members of their role
    Then a reset is refused because its user "is no member of erp_sandbox_role"
    When leased users are made members of their role again
    Then the sandbox is as before, and serves

  Scenario: High fidelity is asked for, says what it costs, and ends with the next reset
    When the sandbox is reset to that golden with "--high-fidelity"
    Then the reset says "its users' API keys are valid in the sandbox"
    And what production encrypted decrypts in the sandbox, and its keys are valid there
    When the sandbox is reset to that golden
    Then what was restored is exactly the golden
    And what production encrypted is noise in the sandbox, and its keys are refused there
    And the sandbox serves and shows the agent's writes no more
    And production's content is still that of the golden

  Scenario Outline: A golden that is <damage> is refused before anything is touched
    Given that golden is <damage>
    When the sandbox is reset to that golden in vain
    Then the reset says "<words>"
    And the sandbox is as before, and serves
    And production's content is still that of the golden

    Examples:
      | damage                | words                       |
      | missing               | find the golden             |
      | without its dump      | Expected its dump           |
      | cut short             | bytes                       |
      | changed in one bit    | Expected SHA-256            |
      | empty                 | bytes                       |
      | of another schema     | lacking: llx_somewhere_else |
      | of a newer version    | a dump of a newer version   |
      | described wrongly     | parts that give             |

  Scenario Outline: A reset that is killed while <state> leaves the sandbox <left>, and the next one goes on
    When a reset to that golden is killed while "<state>"
    Then `npm run reset -- --status` calls the sandbox <left> and says how to go on
    And production's content is still that of the golden
    When the sandbox is reset to that golden
    Then what was restored is exactly the golden
    And the sandbox serves and shows the agent's writes no more

    Examples:
      | state      | left       |
      | stopping   | stopped    |
      | wiping     | half-reset |
      | restoring  | half-reset |
      | verifying  | half-reset |
      | overlaying | half-reset |
      | starting   | stopped    |

  @capability:ssh
  Scenario Outline: A reset during which <mishap> says so and leaves the sandbox as it was
    Given a reset during which <mishap>
    When the sandbox is reset to that golden in vain
    Then the reset says "<words>"
    And the reset says "The sandbox is as before"
    And production's content is still that of the golden
    When that is mended
    Then the sandbox is as before, and serves

    Examples:
      | mishap              | words                      |
      | the bucket is away  | Could not reset the sandbox: look for the golden |
      | a pod does not stop | pods of erp-sandbox        |

  @capability:ssh
  Scenario Outline: A reset during which <mishap> says so, and the next one goes on
    Given a reset during which <mishap>
    When the sandbox is reset to that golden in vain
    Then the reset says "<words>"
    And `npm run reset -- --status` calls the sandbox half-reset and says how to go on
    And production's content is still that of the golden
    When that is mended
    And the sandbox is reset to that golden
    Then what was restored is exactly the golden
    And the sandbox serves and shows the agent's writes no more

    Examples:
      | mishap                       | words                         |
      | the disk of Postgres is full | the disk of Postgres is full  |
      | its lease has ended          | has ended: Postgres does not know the user |
