/** env_file and label_file of each service, read and laid under its environment and labels. */
import { resolve } from 'node:path'
import type { Problems } from '../lib/problems.ts'
import { parseDotenv, parseRawEnv } from './dotenv.ts'
import { type Environment, parseEnvText } from './env.ts'
import type { UnsetVariables } from './interpolate.ts'
import { type Files, shownPath, whyMissing } from './read.ts'
import type { Lookup } from './template.ts'
import { get, isNull, type MapNode, map, type Node, placeOf, plain, scalar, textAt } from './tree.ts'

interface EnvFileContext {
  readonly files: Files
  readonly problems: Problems
  readonly unset: UnsetVariables
  readonly environment: Environment
  readonly cwd: string
}

/** Of the services in `wanted`, or of all: the files of the others need not even be there. */
export function resolveEnvFiles(root: MapNode, context: EnvFileContext, wanted?: ReadonlySet<string>): void {
  const services = get(root, 'services')
  if (services?.kind !== 'map') return
  for (const [name, service] of services.entries) {
    if (service.kind !== 'map' || (wanted && !wanted.has(name))) continue
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
    const named = textAt(file, 'path')
    if (named === undefined) continue
    const path = resolve(context.cwd, named)
    const text = named === '' || context.files.isDirectory(path) ? undefined : context.files.read(path)
    if (text === undefined) {
      const required = get(file, 'required')
      if (required?.kind === 'scalar' && required.value === false && !context.files.isDirectory(path)) continue
      refuseMissing(file, ['services', name, 'env_file', String(index)], context)
      continue
    }
    const lookup = (key: string): string | undefined => {
      const outer = context.environment.get(key)
      if (outer !== undefined) return outer
      const inner = get(own, key)
      return inner?.kind === 'scalar' && inner.value !== null ? String(inner.value) : undefined
    }
    const format = textAt(file, 'format')
    if (format && format !== 'raw') {
      refuseFormat(get(file, 'format')!, ['services', name, 'env_file', String(index), 'format'], context)
      continue
    }
    const parser =
      format === 'raw'
        ? parseRawEnv
        : (body: string, see: Lookup) =>
            parseDotenv(body, see, { below: key => values.get(key), unset: warnUnset(path, context) })
    for (const [key, value] of parseEnvText(text, shownPath(path, context.cwd), lookup, parser)) {
      if (key === '') warnNameless(file, { value, path: ['services', name, 'env_file', String(index)] }, context)
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
  const values = new Map<string, string>()
  for (const [index, file] of listed.items.entries()) {
    const path = file.kind === 'scalar' ? resolve(context.cwd, String(file.value)) : ''
    const text = context.files.isDirectory(path) ? undefined : context.files.read(path)
    if (text === undefined) {
      refuseMissing(file, ['services', name, 'label_file', String(index)], context)
      continue
    }
    // Of two files, the references of the later one see what the earlier one says first.
    const parser = (body: string, see: Lookup) => parseDotenv(body, see, { unset: warnUnset(path, context) })
    for (const [key, value] of parseEnvText(text, shownPath(path, context.cwd), name => values.get(name), parser)) {
      values.set(key, value)
      merged.set(key, { ...scalar(value, file), origin: `read from ${shownPath(path, context.cwd)}` })
    }
  }
  if (own?.kind === 'map') for (const [key, value] of own.entries) merged.set(key, value)
  service.entries.set('labels', map(merged, own ?? listed))
}

function warnUnset(path: string, context: EnvFileContext): (name: string, line: number) => void {
  return (name, line) => context.unset.add(name, { file: shownPath(path, context.cwd), line, column: 1 })
}

function refuseFormat(format: Node, path: readonly string[], context: EnvFileContext): void {
  context.problems.add({
    severity: 'error',
    code: 'bad-value',
    place: placeOf(format),
    path,
    message: `Cannot use "${plain(format)}" here: it should be raw, or left out`,
  })
}

function warnNameless(
  file: Node,
  { value, path }: { value: string; path: readonly string[] },
  context: EnvFileContext,
): void {
  context.problems.add({
    severity: 'warning',
    code: 'nameless-variable',
    place: placeOf(file),
    path,
    message: `"${value}" at the end of the env_file is read as the value of a variable without name`,
    hint: 'End its last line with a line break',
  })
}

function refuseMissing(file: Node, field: readonly string[], context: EnvFileContext): void {
  const named = textAt(file, 'path') ?? (file.kind === 'scalar' ? String(file.value) : '')
  const path = named && resolve(context.cwd, named)
  context.problems.add({
    severity: 'error',
    code: 'missing-file',
    place: placeOf(file),
    path: field,
    message: `Cannot read "${shownPath(named, context.cwd)}": ${whyMissing(path, context.files)}`,
    hint:
      field.includes('env_file') && !context.files.isDirectory(path)
        ? 'Create it, or set "required: false"'
        : undefined,
  })
}
