/** Authorities and certificates of a test, by openssl: NAME.crt and NAME.key in a folder. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CertificateOptions {
  /** The authority that signs it; undefined: it is one itself. */
  readonly by?: string
  /** X.509 extension: "subjectAltName=IP:127.0.0.1". */
  readonly extension?: string
}

export function makeCertificate(folder: string, name: string, { by, extension }: CertificateOptions = {}): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-batch', '-keyout', `${name}.key`]
  const what = ['-out', `${name}.crt`, '-subj', `/CN=${name}`, '-days', '2']
  const signed = by === undefined ? [] : ['-CA', `${by}.crt`, '-CAkey', `${by}.key`]
  const more = extension === undefined ? [] : ['-addext', extension]
  execFileSync('openssl', ['req', '-x509', ...key, ...what, ...signed, ...more], { cwd: folder, stdio: 'pipe' })
}

/** An authority "ca", and by it "server" for this machine and "client". @returns the authority's. */
export function makeCertificates(folder: string): string {
  makeCertificate(folder, 'ca')
  makeCertificate(folder, 'server', { by: 'ca', extension: 'subjectAltName=DNS:localhost,IP:127.0.0.1' })
  makeCertificate(folder, 'client', { by: 'ca', extension: 'extendedKeyUsage=clientAuth' })
  return readFileSync(join(folder, 'ca.crt'), 'utf8')
}
