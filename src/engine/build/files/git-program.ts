/** The program git, kept from everything that is not its repository: no hooks, no configuration of the host, no prompts, no files of the host. */
import { spawn } from 'node:child_process'
import { errnoOf, Failure } from '../../../lib/failure.ts'
import type { HostPath } from '../../../runtime/spec.ts'
import type { ProxySettings } from './http-get.ts'

export interface GitOptions {
  readonly cwd: HostPath
  readonly proxy: ProxySettings
  /** An `Authorization` header for an origin ("https://host/"); it goes by the environment, which no other user can read. */
  readonly authorization?: { readonly origin: string; readonly value: string } | undefined
  /** Where an ssh agent listens. */
  readonly sshAgent?: HostPath | undefined
  /** "file" in tests. */
  readonly moreProtocols?: readonly string[] | undefined
  readonly signal: AbortSignal
}

const protocols = ['http', 'https', 'git', 'ssh']
/** Of what it prints. */
const mostOutput = 4 * 1024 * 1024

/** What it writes to its output. @throws Failure `unavailable` with what it complains of, or when there is no git. */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  const { signal } = options
  signal.throwIfAborted()
  const child = spawn('git', [...args], {
    cwd: options.cwd,
    env: environment(options),
    stdio: ['ignore', 'pipe', 'pipe'],
    // a group of its own, so that its helpers end with it
    detached: true,
  })
  const stop = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch (error) {
      // it has ended by itself
      if (errnoOf(error) !== 'ESRCH') throw error
    }
  }
  signal.addEventListener('abort', stop, { once: true })
  let output = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.length > mostOutput) stop()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4000)
  })
  try {
    const { promise, resolve, reject } = Promise.withResolvers<number | null>()
    child.on('error', reject).on('close', resolve)
    const code = await promise
    signal.throwIfAborted()
    if (code !== 0) throw new Failure('unavailable', `git ${args[0]} failed: ${lastLines(complaint)}`)
    return output
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new Failure('unavailable', 'Cannot fetch a git repository: the program "git" is missing', {
      hint: 'Install git',
      cause: error,
    })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function environment({ proxy, authorization, sshAgent, moreProtocols = [], cwd }: GitOptions): NodeJS.ProcessEnv {
  const settings: (readonly [key: string, value: string])[] = [
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['init.defaultBranch', 'main'],
    ['advice.detachedHead', 'false'],
    ['gc.auto', '0'],
    ['credential.helper', ''],
    ['http.lowSpeedLimit', '1000'],
    ['http.lowSpeedTime', '60'],
    ...(authorization
      ? [[`http.${authorization.origin}.extraHeader`, `Authorization: ${authorization.value}`] as const]
      : []),
  ]
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${i}`, key],
        [`GIT_CONFIG_VALUE_${i}`, value],
      ]),
    ),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'false',
    GIT_ALLOW_PROTOCOL: [...protocols, ...moreProtocols].join(':'),
    // the host is taken as it shows itself the first time, as nobody was asked whom to expect
    GIT_SSH_COMMAND:
      'ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR',
    ...(sshAgent && { SSH_AUTH_SOCK: sshAgent }),
    ...(proxy.http && { http_proxy: proxy.http }),
    ...(proxy.https && { https_proxy: proxy.https }),
    ...(proxy.no && { no_proxy: proxy.no }),
  }
}

/** Without what an address may carry. */
function lastLines(complaint: string): string {
  return complaint
    .trim()
    .split('\n')
    .slice(-3)
    .join('; ')
    .replace(/:\/\/[^/@\s]*@/g, '://')
}
