/** Who calls: credentials as they stand in a kubeconfig, or as a plugin tells them until they expire. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { errnoOf, Failure, messageOf } from '../../../lib/failure.ts'
import type { Credentials, ExecPlugin, UserAccess } from './kubeconfig.ts'

/** So long before its end a token is not used any more, in milliseconds. */
const margin = 10_000
/** Bytes that a plugin may say. */
const longest = 1024 * 1024

export type CredentialSource = (options?: { readonly fresh?: boolean }) => Promise<Credentials>

/** `fresh`: those before were refused. */
export function credentialSource(
  user: UserAccess,
  env: Readonly<Record<string, string | undefined>>,
): CredentialSource {
  if (user.kind === 'fixed') return async () => user.credentials
  let known: Promise<Told> | undefined
  const begin = (): Promise<Told> => {
    const asked = ask(user.plugin, env)
    known = asked
    // one that fails is asked again
    asked.catch(() => {
      if (known === asked) known = undefined
    })
    return asked
  }
  return async ({ fresh = false } = {}) => {
    const asked = known
    if (asked === undefined) return (await begin()).credentials
    const told = await asked
    if (!fresh && told.expires - margin >= Date.now()) return told.credentials
    // somebody else may have noticed first
    return (await (known === asked || known === undefined ? begin() : known)).credentials
  }
}

interface Told {
  readonly credentials: Credentials
  /** Milliseconds since 1970. */
  readonly expires: number
}

async function ask(plugin: ExecPlugin, env: Readonly<Record<string, string | undefined>>): Promise<Told> {
  const { command, args, apiVersion, installHint, folder, cluster } = plugin
  const refuse = (why: string, cause?: unknown): never => {
    throw new Failure('denied', `Cannot get credentials from "${command}": ${why}`, {
      ...(installHint === undefined ? {} : { hint: installHint }),
      cause,
    })
  }
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false, ...(cluster && { cluster }) } }
  const program = command.includes('/') ? resolve(folder, command) : command
  let answer: string
  try {
    answer = await output(program, args, { ...env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) })
  } catch (error) {
    return refuse(errnoOf(error) === 'ENOENT' ? 'there is no such program' : messageOf(error), error)
  }
  let status: Readonly<Record<string, unknown>> | undefined
  try {
    const told = JSON.parse(answer) as { readonly status?: Readonly<Record<string, unknown>> } | null
    status = told?.status
  } catch {
    // what it said may be a secret
    return refuse('it answers no JSON')
  }
  const text = (key: string) => (typeof status?.[key] === 'string' ? (status[key] as string) : undefined)
  const [token, cert, key] = [text('token'), text('clientCertificateData'), text('clientKeyData')]
  if (token === undefined && (cert === undefined || key === undefined))
    return refuse('it answers neither a token nor a certificate')
  const until = text('expirationTimestamp')
  return {
    credentials: {
      token,
      cert: cert === undefined ? undefined : Buffer.from(cert),
      key: key === undefined ? undefined : Buffer.from(key),
    },
    expires: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
  }
}

function output(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(program, [...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const parts: Buffer[] = []
    let size = 0
    child.stdout.on('data', (part: Buffer) => {
      parts.push(part)
      size += part.length
      if (size > longest) child.kill('SIGKILL')
    })
    child.once('error', failed)
    child.once('close', (code, signal) => {
      if (code === 0) done(Buffer.concat(parts).toString())
      else failed(new Error(`it ended with ${signal ?? code}`))
    })
  })
}
