/** env_file and label_file of each service, read and laid under its environment and labels. */
import type { Problems } from '../lib/problems.ts'
import { parseDotenv, parseRawEnv } from './dotenv.ts'
import { type Environment, parseEnvText } from './env.ts'
import { type Files, shownPath } from './read.ts'
import type { Lookup } from './template.ts'
import { get, isNull, type MapNode, map, type Node, placeOf, scalar, textAt } from './tree.ts'

interface EnvFileContext {
  readonly files: Files
  readonly problems: Problems
  readonly environment: Environment
  readonly cwd: string
}

export function resolveEnvFiles(root: MapNode, context: EnvFileContext): void {
  const services = get(root, 'services')
  if (services?.kind !== 'map') return
  for (const [name, service] of services.entries) {
    if (service.kind !== 'map') continue
    environmentOf(name, service, context)
    labelsOf(name, service, context)
  }
}

function environmentOf(name: string, service: MapNode, context: EnvFileContext): void {
  const listed = service.entries.get('env_file')
  if (listed?.kind !== 'list') return
  const own = get(service, 'environment')
  const merged = new Map<string, Node>()
  const values = new Map<string, string>()
  for (const [index, file] of listed.items.entries()) {
    const path = textAt(file, 'path')
    if (path === undefined) continue
    const text = path === '' ? undefined : context.files.read(path)
    if (text === undefined) {
      const required = get(file, 'required')
      if (required?.kind === 'scalar' && required.value === false) continue
      refuseMissing(file, ['services', name, 'env_file', String(index)], context)
      continue
    }
    const lookup = (key: string): string | undefined => {
      const outer = context.environment.get(key)
      if (outer !== undefined) return outer
      const inner = get(own, key)
      return inner?.kind === 'scalar' && inner.value !== null ? String(inner.value) : undefined
    }
    const parser =
      textAt(file, 'format') === 'raw'
        ? parseRawEnv
        : (body: string, see: Lookup) => parseDotenv(body, see, { below: key => values.get(key) })
    for (const [key, value] of parseEnvText(text, shownPath(path, context.cwd), lookup, parser)) {
      values.set(key, value)
      merged.set(key, { ...scalar(value, file), origin: `read from ${shownPath(path, context.cwd)}` })
    }
  }
  if (own?.kind === 'map') {
    for (const [key, value] of own.entries) {
      if (isNull(value) && values.has(key))
        context.problems.add({
          severity: 'warning',
          code: 'hidden-env-file-value',
          place: placeOf(value),
          path: ['services', name, 'environment', key],
          message: `"${key}" has no value here and is not set outside, which also hides its value from the env_file`,
          hint: 'Remove the line to use the value of the file',
        })
      const below = merged.get(key)
      merged.set(key, below && value.previous === undefined ? { ...value, previous: below } : value)
    }
  }
  service.entries.set('environment', map(merged, own ?? listed))
}

function labelsOf(name: string, service: MapNode, context: EnvFileContext): void {
  const listed = service.entries.get('label_file')
  if (listed?.kind !== 'list') return
  const own = get(service, 'labels')
  const merged = new Map<string, Node>()
  for (const [index, file] of listed.items.entries()) {
    const path = file.kind === 'scalar' ? String(file.value) : ''
    const text = context.files.read(path)
    if (text === undefined) {
      refuseMissing(file, ['services', name, 'label_file', String(index)], context)
      continue
    }
    for (const [key, value] of parseEnvText(text, shownPath(path, context.cwd), () => undefined))
      merged.set(key, { ...scalar(value, file), origin: `read from ${shownPath(path, context.cwd)}` })
  }
  if (own?.kind === 'map') for (const [key, value] of own.entries) merged.set(key, value)
  service.entries.set('labels', map(merged, own ?? listed))
}

function refuseMissing(file: Node, path: readonly string[], context: EnvFileContext): void {
  const named = textAt(file, 'path') ?? (file.kind === 'scalar' ? String(file.value) : '')
  context.problems.add({
    severity: 'error',
    code: 'missing-file',
    place: placeOf(file),
    path,
    message: `Cannot read "${shownPath(named, context.cwd)}": there is no such file`,
    hint: path.includes('env_file') ? 'Create it, or set "required: false"' : undefined,
  })
}
