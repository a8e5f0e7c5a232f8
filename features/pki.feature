@needs:pki @capability:ssh
Feature: Certificates come from the platform’s own CA and are trusted everywhere on it
  Every name under the zone is served over TLS. The private CA issues by ACME, cert-manager asks for what the cluster
  needs, the ingress serves the wildcard to every name that has no certificate of its own, and machines and pods trust
  the CA’s root of today.

  Scenario: The wildcard is issued, served and trusted
    Then the private CA answers
    And every Certificate is Ready and leads to the CA’s root
    And the ingress serves the wildcard to any name of the zone
    And every machine and a pod on each verify it with their own trust
