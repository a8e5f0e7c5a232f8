@gates
Feature: No change passes unless its plan says so
  A change may go to production only when what it does is known beforehand. Each gate can be run alone in a pull request
  (npm run gate); here all of them are held against the converged sandbox.

  @needs:apps @needs:documents @needs:backups @needs:pki @capability:ssh
  Scenario: Every playbook has nothing to change on the converged sandbox
    When the idempotence gate checks every playbook
    Then the gate is green

  @needs:apps
  Scenario: Every root module is a no-op against the sandbox's state
    When the plan gate plans every root module
    Then the gate is green
    And it planned these root modules:
      | root module             |
      | hashicorp-vault/iac     |
      | postgres/iac            |
      | webapp/iac              |
      | erp/iac                 |
      | crowdsec/iac            |
      | plausible/iac           |
      | dance-lessons-coach/iac |
      | cms/iac                 |

  @needs:apps
  Scenario: Where changes are meant, every loss is still called by its name
    Given a copy of the root module "postgres" without the app "cms"
    When the plan gate plans the copy with changes allowed
    Then the gate is red and names:
      | loss                   |
      | destroys database cms  |
      | destroys role cms_role |

  @needs:apps
  Scenario: Every deployed instance renders as before
    When the render gate compares the factory's charts with the deployed ones
    Then the gate is green

  @needs:apps
  Scenario: A change of the template is judged by the apps that were made from it
    Given a factory whose template names the app where it should name the instance
    When the render gate compares that template with the one before
    Then the gate is red for the instance "erp-sandbox" alone

  # The providers of Cloudflare and OVH cannot be had without their registry: the plan is written by hand in the shape of `tofu show -json`, and never applied.
  Scenario: The DNS plan touches the throwaway zone alone
    When the DNS gate judges the factory's plan for the zone "sandbox.arcodange.fr"
    Then the gate is green
