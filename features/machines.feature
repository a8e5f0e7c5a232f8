Feature: Three machines of their own, as in production, and nowhere else to go
  Everything else stands on this: three machines reached by SSH, one Kubernetes over all three, Postgres outside of it.
  These scenarios need little, so on a fresh machine they are green while later components are still being built.

  @needs:machines @capability:ssh
  Scenario: Every machine is itself and has no way out
    Then every machine answers by SSH under its own name
    And no machine has a route to anywhere but the sandbox

  @needs:postgres
  Scenario: Postgres answers outside the cluster
    Then Postgres answers at the address of a machine
    And its superuser logs in with the sandbox’s own credential only

  @needs:kubernetes @capability:three-machines
  Scenario: One Kubernetes runs pods on all three nodes
    Then every cluster machine is a Ready node
    And the cluster’s DNS runs on every node and answers from each
