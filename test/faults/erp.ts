import * as erp from '../../support/erp/faults';
import * as writes from '../../support/erp/faults-writes';
import type { Fault } from '../../support/fault';
import type { PlantedFault } from './fault';

/** A fault that a reset must not take for the golden. */
function breaksReset(fault: Fault, says: RegExp): PlantedFault {
  return {
    fault,
    feature: 'features/reset.feature',
    scenario: "A reset undoes an agent's session to the last column and sequence, twice in a row",
    redAt: { step: 'the sandbox was reset to that golden', says },
  };
}

/** A fault that lets the sandbox's credentials too far into production. */
function opensProduction(fault: Fault, says: RegExp): PlantedFault {
  return {
    fault,
    feature: 'features/prod-safety.feature',
    scenario: "Postgres refuses the sandbox's credentials everything in production",
    redAt: { step: 'each of these is refused to a user leased from "postgres/creds/erp-sandbox":', says },
  };
}

/** A fault that one of the checks over the API must show. */
function showsInCheck(fault: Fault, says: RegExp): PlantedFault {
  return {
    fault,
    feature: 'features/erp-checks.feature',
    scenario: 'What an agent did shows in every check, and nothing besides',
    redAt: { step: 'the checks over its API show exactly what the agent did:', says },
  };
}

const erpRefuses = {
  feature: 'features/prod-safety.feature',
  scenario: "The ERP refuses writes to production with the sandbox's key and with the agent's own account",
};

const noPower = {
  feature: 'features/reset.feature',
  scenario: "No power beyond the sandbox's own is needed, and without its own nothing is done",
};

/** Planted faults of the ERP's reset and of production's safety. */
export const erpFaults: readonly PlantedFault[] = [
  breaksReset(erp.strangersTable, /llx_stray/),
  breaksReset(erp.columnMoved, /differs in llx_societe/),
  breaksReset(erp.emptyForNull, /differs in llx_product/),
  breaksReset(erp.sequenceMoved, /differs in llx_facture_rowid_seq/),
  breaksReset(erp.rowDoubled, /differs in llx_const/),
  breaksReset(erp.defaultLost, /differs in schema/),
  breaksReset(erp.powerfulLease, /has powers: [^]*createdb/),
  breaksReset(erp.ownerMakesRoles, /has powers: [^]*erp_sandbox_role createrole/),
  breaksReset(erp.noMembers, /is no member of erp_sandbox_role/),
  opensProduction(erp.productionOpen, /connect to production/),
  opensProduction(erp.memberOfProduction, /become production/),
  opensProduction(erp.maySignal, /end production/),
  opensProduction(erp.ownsProduction, /drop production/),
  {
    fault: erp.idShared,
    feature: 'features/reset.feature',
    scenario: 'High fidelity is asked for, says what it costs, and ends with the next reset',
    redAt: {
      step: 'what production encrypted is noise in the sandbox, and its keys are refused there',
      says: /unmet[^]*readable/,
    },
  },
  showsInCheck(writes.taxShifted, /unmet │ VAT summary/),
  showsInCheck(writes.otherPaid, /unmet │ payments/),
  showsInCheck(writes.numberLost, /unmet │ invoice audit/),
  showsInCheck(writes.postCodeLost, /unmet │ third-party/),
  showsInCheck(writes.labelChanged, /unmet │ data snapshot/),
  {
    fault: writes.sideEffect,
    feature: 'features/promotion-of-writes.feature',
    scenario: 'A reviewed changeset is replayed once, and production holds exactly what it says',
    redAt: {
      step: "the checks over production's API show the same changes as in the sandbox:",
      says: /unmet │ data snapshot/,
    },
  },
  {
    fault: erp.strayCreator,
    feature: 'features/prod-safety.feature',
    scenario: 'No standing credential can make or drop databases',
    redAt: {
      step: 'nobody but the provisioner of the human-gated run can log in with the power to make or drop databases',
      says: /stray_creator/,
    },
  },
  {
    fault: erp.agentWrites,
    ...erpRefuses,
    redAt: { step: "production answers 403 to every write with the agent's own key of production", says: /answered 4/ },
  },
  {
    fault: erp.keyInProduction,
    ...erpRefuses,
    redAt: { step: "production answers 401 to every write with the agent's key of the sandbox", says: /answered/ },
  },
  {
    fault: erp.goldenWrites,
    ...noPower,
    redAt: { step: 'the golden was taken by a user that every write is refused to', says: /done/ },
  },
];
