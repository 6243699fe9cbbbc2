/** COMPOSE_… and a few other variables of .env files, which speak for the command line as those of the process do. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { errnoOf } from '../lib/failure.ts'
import { projectDirectory } from '../stack/find.ts'
import type { GlobalValues } from './options.ts'
import { isTruth } from './values.ts'

type Env = Readonly<Record<string, string | undefined>>
type EnvFileValues = Pick<GlobalValues, 'env-file' | 'file' | 'project-directory'>

/** A checkout may say these too; where state is kept, or to which engine it goes, is not for it to say. */
const speaks = /^(?:COMPOSE_|TSCOMPOSE_ISOLATED$)/

/** `env` with what the env files of the call say of variables named COMPOSE_… and the like; those of the process win. */
export async function withDotEnv(env: Env, globals: EnvFileValues, cwd: string): Promise<Env> {
  const texts = textsOf(env, globals, cwd)
  if (!texts.some(text => text.includes('COMPOSE_'))) return env
  const found = Object.entries(await variablesOf(texts, env)).filter(([name]) => speaks.test(name))
  return { ...Object.fromEntries(found), ...env }
}

/** `env` with all that the env files of the call say; those of the process win. */
export async function withEnvFiles(env: Env, globals: EnvFileValues, cwd: string): Promise<Env> {
  return { ...(await variablesOf(textsOf(env, globals, cwd), env)), ...env }
}

async function variablesOf(texts: readonly string[], env: Env): Promise<Record<string, string>> {
  const found: Record<string, string> = Object.create(null)
  if (texts.length === 0) return found
  const { DotenvError, parseDotenv } = await import('../stack/dotenv.ts')
  for (const text of texts) {
    try {
      for (const [name, value] of parseDotenv(text, name => env[name] ?? found[name])) found[name] = value
    } catch (error) {
      // the loader reads the same file and says what is wrong, and where
      if (!(error instanceof DotenvError)) throw error
    }
  }
  return found
}

function textsOf(env: Env, globals: EnvFileValues, cwd: string): readonly string[] {
  return envFiles(env, globals, cwd).flatMap(file => textOf(file) ?? [])
}

function envFiles(env: Env, globals: EnvFileValues, cwd: string): string[] {
  const named = globals['env-file'].length > 0 ? globals['env-file'] : env['COMPOSE_ENV_FILES']?.split(',')
  if (named) return named.map(file => resolve(cwd, file.trim()))
  if (env['COMPOSE_DISABLE_ENV_FILE']) return []
  return [join(projectDirectory({ files: globals.file, directory: globals['project-directory'], cwd }), '.env')]
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // missing, a folder, not ours: whoever reads the stack says so
    if (errnoOf(error) !== undefined) return undefined
    throw error
  }
}

/** Variables Compose documents that mean nothing here, and why. */
const without: Readonly<Record<string, string>> = {
  COMPOSE_BAKE: 'the engine builds, and needs no bake',
  COMPOSE_CONVERT_WINDOWS_PATHS: 'paths are those of Linux',
  COMPOSE_EXPERIMENTAL: 'there are no experimental features',
}

/** What is said of variables that are set and have no effect. */
export function variableWarnings(env: Env): readonly string[] {
  return Object.entries(without).flatMap(([name, why]) =>
    isTruth(env[name] ?? '') ? `${name} has no effect: ${why}` : [],
  )
}
