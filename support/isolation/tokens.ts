import { type Refused, refused } from './verdict';

/** Whether the sandbox's Vault knows a token: its own, not its own, or it cannot be asked. */
export type TokenKnowledge = 'known' | 'unknown' | 'cannot tell';
export type VaultTokenChecker = (token: string) => Promise<TokenKnowledge>;

interface SecretRule {
  owner: string;
  /** Matches the name of a variable, file or key, prefixes such as TF_VAR_ and folders included. */
  name?: RegExp;
  /** Matches the value, whatever the variable is called. */
  shape?: RegExp;
}

const secretWord = '(?:API_?)?(?:TOKEN|KEY|SECRET|PASSWORD|PASS|CREDENTIALS?)';

/** Credentials of the providers that production uses (seed 000: Cloudflare and Zoho; OVH and Google hold zone and state). */
const rules: readonly SecretRule[] = [
  {
    owner: 'Cloudflare',
    name: new RegExp(`(^|[_/.-])(CLOUDFLARE|CF)[_.-](.*[_.-])?${secretWord}([_.-]|$)`, 'i'),
    shape: /^(v1\.0-[0-9a-f]{24}-[0-9a-f]{146}|cf(k|ut|at)_[A-Za-z0-9_-]{30,})$/,
  },
  {
    owner: 'Zoho',
    name: new RegExp(`(^|[_/.-])ZOHO[_.-](.*[_.-])?${secretWord}([_.-]|$)`, 'i'),
    shape: /^1000\.[0-9a-f]{32}\.[0-9a-f]{32}$|^1000\.[0-9A-Z]{30,}$/,
  },
  { owner: 'OVH', name: new RegExp(`(^|[_/.-])OVH[_.-](.*[_.-])?${secretWord}([_.-]|$)`, 'i') },
  {
    owner: 'Google',
    name: new RegExp(
      `(^|[_/.-])(GOOGLE|GCP|GCLOUD|GCS|CLOUDSDK_AUTH)[_.-](.*[_.-])?(${secretWord}|KEYFILE(_JSON)?|CREDENTIAL_FILE_OVERRIDE)([_.-]|$)|^GOOGLE_APPLICATION_CREDENTIALS$`,
      'i',
    ),
    shape:
      /^(ya29\.[\w-]{20,}|AIza[\w-]{35}|GOCSPX-[\w-]{20,}|1\/\/0[\w-]{20,})$|"private_key"\s*:\s*"-----BEGIN|[\w-]+\.iam\.gserviceaccount\.com/,
  },
];

/** The distinctive shapes again, as an extended regular expression for grep(1). */
export const credentialShapes =
  'ya29[.]|AIza[0-9A-Za-z_-]{35}|GOCSPX-|1//0[0-9A-Za-z_-]{20}|1000[.][0-9a-f]{32}[.]|v1[.]0-[0-9a-f]{24}-|cf(k|ut|at)_[A-Za-z0-9_-]{30}';

const vaultName = /(^|_)VAULT_(.*_)?TOKEN$/i;
/** Service, batch and recovery tokens of Vault 1.10 and later, and the older service form. */
const vaultShape = /^(hv[sbr]\.[\w-]{20,}|[sbr]\.[A-Za-z0-9]{24})$/;

/**
 * Real credentials in an environment, found by name and by shape. Reasons name the variable, never its value.
 * @param knows asks the sandbox's Vault; only ever called with what is meant for a Vault.
 */
export async function findRealSecrets(
  environment: Readonly<Record<string, string | undefined>>,
  knows: VaultTokenChecker,
): Promise<Refused[]> {
  const found: Refused[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value === '') continue;
    const subject = `environment variable ${name}`;
    const rule =
      rules.find((one) => one.name?.test(name) ?? false) ?? rules.find((one) => one.shape?.test(value.trim()) ?? false);
    if (rule !== undefined)
      found.push(
        refused(
          subject,
          'real-secret',
          `it ${rule.name?.test(name) ? 'is a' : 'holds what looks like a'} ${rule.owner} credential`,
        ),
      );
    else if (vaultName.test(name) || vaultShape.test(value.trim())) {
      const knowledge = await knows(value.trim());
      if (knowledge === 'unknown')
        found.push(refused(subject, 'real-secret', "it holds a Vault token that the sandbox's Vault does not know"));
      if (knowledge === 'cannot tell')
        found.push(
          refused(subject, 'real-secret', "it holds a Vault token, and the sandbox's Vault cannot be asked about it"),
        );
    }
  }
  return found;
}
