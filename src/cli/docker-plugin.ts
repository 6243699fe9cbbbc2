/** `docker compose …` with our program in Docker's folder of plugins: what docker calls it with → a command line of ours. */
import { existsSync } from 'node:fs'
import { contextEngine, currentContext, dockerFolder } from '../client/docker-context.ts'
import { composeVersion } from '../targets/engine/labels.ts'
import { scan } from './flags.ts'
import { type OptionTable, usage } from './options.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface PluginCall {
  readonly argv: readonly string[]
  readonly env: Env
}

/** Docker's own options, which stand before the name of the plugin. */
const dockerOptions = {
  config: { kind: 'text', about: '' },
  context: { kind: 'text', short: 'c', about: '' },
  debug: { kind: 'flag', short: 'D', about: '' },
  host: { kind: 'list', short: 'H', about: '' },
  'log-level': { kind: 'text', short: 'l', about: '' },
  tls: { kind: 'flag', about: '' },
  tlscacert: { kind: 'text', about: '' },
  tlscert: { kind: 'text', about: '' },
  tlskey: { kind: 'text', about: '' },
  tlsverify: { kind: 'flag', about: '' },
} as const satisfies OptionTable

/** What docker asks a plugin for before it shows or runs it. */
export function pluginMetadata(release: string): string {
  return JSON.stringify({
    SchemaVersion: '0.1.0',
    Vendor: 'tscompose',
    Version: `v${composeVersion}-tscompose.${release}`,
    ShortDescription: 'Docker Compose, by tscompose',
  })
}

/** Undefined where docker has not called us. @param engine the socket of the engine that docker itself goes to by default */
export function pluginCall(
  argv: readonly string[],
  env: Env,
  engine: string = '/var/run/docker.sock',
): PluginCall | undefined {
  // set by docker's client for each plugin it runs
  if (env['DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND'] === undefined) return undefined
  const { options, words } = scan(argv, dockerOptions, true)
  if (words[0] !== 'compose') return undefined
  const given = (name: keyof typeof dockerOptions) => options.filter(option => option.name === name).at(-1)?.value
  const config = given('config') ?? dockerFolder(env)
  // the context is settled here
  const more: Record<string, string | undefined> = { DOCKER_CONFIG: config, DOCKER_CONTEXT: undefined }
  const certificates = ['tlscacert', 'tlscert', 'tlskey'] as const
  if (certificates.some(name => given(name) !== undefined))
    throw usage(
      `--${certificates.find(name => given(name) !== undefined)} is not read`,
      'Set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem',
    )
  if (given('tls') === 'true') more['DOCKER_TLS'] = '1'
  if (given('tlsverify') === 'true') more['DOCKER_TLS_VERIFY'] = '1'
  const host = given('host')
  if (host !== undefined && given('context') !== undefined)
    throw usage('conflicting options: cannot specify both --host and --context')
  // as docker chooses: --host, --context, DOCKER_HOST, DOCKER_CONTEXT, the current context, its default socket
  const named = given('context') ?? (env['DOCKER_HOST'] ? undefined : env['DOCKER_CONTEXT'] || currentContext(config))
  if (host !== undefined) more['DOCKER_HOST'] = host
  else if (named !== undefined && named !== 'default') {
    // refused here, before any command
    contextEngine(config, named)
    more['DOCKER_HOST'] = undefined
    more['DOCKER_CONTEXT'] = named
  } else if (!env['DOCKER_HOST'] && existsSync(engine)) more['DOCKER_HOST'] = `unix://${engine}`
  return {
    argv: [...(given('debug') === 'true' ? ['--verbose'] : []), ...words.slice(1)],
    env: { ...env, ...more },
  }
}
