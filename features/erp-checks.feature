@erp @needs:apps
Feature: Read-only checks over the API tell what a write did to the books
  Snapshot with differences, VAT, payments, invoices, third parties: they read either instance with the agent's own key and
  need nothing but the API (ADR-0003, section 4). They stand around every write that is rehearsed, and each must show what the
  agent did and nothing else.

  Scenario: What an agent did shows in every check, and nothing besides
    Given a sandbox that goes back to production's state afterwards
    When an agent works in the sandbox over its API
    Then the checks over its API show exactly what the agent did:
      | check                    |
      | data snapshot            |
      | VAT summary              |
      | payments state           |
      | invoice audit            |
      | third-party completeness |

  Scenario: The same checks are commands that read either instance
    Given a sandbox that goes back to production's state afterwards
    When the command "snapshot" is run on either instance before and after an agent worked in the sandbox
    Then "diff" finds nothing in production, and in the sandbox what the agent did
    And these commands answer for either instance:
      | command      | shows                       |
      | vat          | deductible                  |
      | payments     | overdue                     |
      | audit        | no remark on any invoice    |
      | thirdparties | lacks SIRET                 |
