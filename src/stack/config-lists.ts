/** One line a name: `config --services`, `--volumes`, `--networks`, `--profiles`, `--images`, … */

import { stringify } from 'yaml'
import type { LoadedStack } from './load.ts'
import { profilesOf } from './profiles.ts'
import { variablesOf } from './template.ts'
import { get, type Node, textAt } from './tree.ts'

type ConfigListName =
  | 'services'
  | 'volumes'
  | 'networks'
  | 'models'
  | 'profiles'
  | 'images'
  | 'environment'
  | 'variables'

/** The lines of one list. `--hash` is not here: the config hash belongs to plan/hash.ts. */
export function configList(loaded: LoadedStack, name: ConfigListName): readonly string[] {
  switch (name) {
    case 'services':
      return dependenciesFirst(loaded)
    case 'volumes':
    case 'networks':
    case 'models':
      return keys(get(loaded.tree, name)).sort()
    case 'profiles': {
      const profiles = new Set<string>()
      for (const services of [get(loaded.tree, 'services'), loaded.disabled])
        if (services?.kind === 'map')
          for (const service of services.entries.values())
            for (const profile of profilesOf(service)) profiles.add(profile)
      return [...profiles].sort()
    }
    case 'images':
      return keys(get(loaded.tree, 'services')).map(
        service =>
          textAt(loaded.tree, 'services', service, 'image') ??
          [loaded.project.name, service].join(loaded.project.separator),
      )
    case 'environment':
      return Object.entries(loaded.environment)
        .map(([key, value]) => `${key}=${value}`)
        .sort()
    case 'variables':
      return variableLines(loaded)
    default:
      return name satisfies never
  }
}

/** By name, but each after what it depends on: the order in which Compose prints them. */
function dependenciesFirst({ tree, project }: LoadedStack): readonly string[] {
  const names = new Set(keys(get(tree, 'services')).sort())
  const seen = new Set<string>()
  const found: string[] = []
  const visit = (name: string): void => {
    if (seen.has(name) || !names.has(name)) return
    seen.add(name)
    const service = Object.hasOwn(project.services, name) ? project.services[name] : undefined
    for (const dependency of Object.keys(service?.dependsOn ?? {}).sort()) visit(dependency)
    found.push(name)
  }
  for (const name of names) visit(name)
  return found
}

function keys(node: Node | undefined): string[] {
  return node?.kind === 'map' ? [...node.entries.keys()] : []
}

/** The variables a stack names anywhere below its name, by name; of a stack that was read without filling them in. */
function variablesIn(loaded: LoadedStack): ReadonlyArray<ReturnType<typeof variablesOf>[number]> {
  const found = new Map<string, ReturnType<typeof variablesOf>[number]>()
  const visit = (node: Node): void => {
    if (node.kind === 'scalar') {
      if (typeof node.value === 'string') for (const each of variablesOf(node.value)) found.set(each.name, each)
    } else for (const member of node.kind === 'list' ? node.items : node.entries.values()) visit(member)
  }
  for (const [key, member] of loaded.tree.entries) if (key !== 'name') visit(member)
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The same as Compose's JSON, and its YAML, where the members are in small letters. */
export function variablesAs(format: 'json' | 'yaml', loaded: LoadedStack): string {
  const data = Object.fromEntries(
    variablesIn(loaded).map(({ name, required, ...each }) => [
      name,
      { Name: name, DefaultValue: each.default, PresenceValue: each.alternative, Required: required },
    ]),
  )
  if (format === 'json') return `${JSON.stringify(data, null, 4)}\n`
  const small = (each: object) =>
    Object.fromEntries(Object.entries(each).map(([key, value]) => [key.toLowerCase(), value]))
  return stringify(Object.fromEntries(Object.entries(data).map(([name, each]) => [name, small(each)])), { indent: 4 })
}

/** NAME, whether it must be set, its default and its alternative, in columns of 20 at least. */
function variableLines(loaded: LoadedStack): readonly string[] {
  const rows = variablesIn(loaded).map(v => [v.name, String(v.required), v.default, v.alternative])
  const all = [['NAME', 'REQUIRED', 'DEFAULT VALUE', 'ALTERNATE VALUE'], ...rows]
  const widths = [0, 1, 2].map(column => Math.max(20, ...all.map(row => row[column]!.length + 3)))
  return all.map(row =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column]!) : cell))
      .join('')
      .trimEnd(),
  )
}
