import { namesOf } from '../naming';

/** The two instances of the ERP (ADR-0002): one repository and chart, apart in everything else. */
export const production = namesOf('erp');
export const sandbox = namesOf('erp', 'sandbox');

/** An instance as the commands name it. The default is production, where only reading is possible (seed 003). */
export type InstanceName = 'prod' | 'sandbox';

/** Credentials with which the golden is taken: they read production's database and write nothing. */
export const goldenCredentialsPath = 'postgres/creds/erp-golden';

/** The account of the agent, in either instance. Production gives it reading rights only (ADR-0003, section 3). */
export const agentLogin = 'ai_agent';

/** Every table of Dolibarr begins with this (ADR-0003, section 2). */
export const tablePrefix = 'llx_';
