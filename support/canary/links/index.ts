import type { Link } from '../link';
import { appIacLink } from './app-iac';
import { applicationLink, healthLink } from './application';
import { ciRoleLink } from './ci-role';
import { credentialsLink } from './credentials';
import { databaseLink } from './database';
import { repositoryLink } from './repository';
import { podLink, secretLink, servingLink } from './runtime';
import { vaultPoliciesLink } from './vault-policies';

/** The convention chain, in causal order. */
export const chain: readonly Link[] = [
  repositoryLink,
  databaseLink,
  vaultPoliciesLink,
  ciRoleLink,
  appIacLink,
  credentialsLink,
  applicationLink,
  secretLink,
  podLink,
  servingLink,
  healthLink,
];
