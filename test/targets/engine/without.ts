/** A stack as it is without one of its attributes. */
import type { Data } from './stacks.ts'

/** Where taking it out says nothing: another value to put there. */
const instead: Readonly<Record<string, Data>> = {
  'services.*.image': 'other',
  'services.*.develop.watch.*.action': 'sync',
  'services.*.volumes.*.type': 'volume',
  'services.*.volumes.*.source': '/else',
  'services.*.volumes.*.target': '/else',
  'services.*.devices.*.source': '/dev/zero',
  'services.*.ports.*.target': 81,
  'services.*.configs.*.source': 'c2',
  'services.*.secrets.*.source': 's2',
  'services.*.env_file.*.path': 'labels.env',
  'services.*.ulimits.*.soft': 2,
  'services.*.ulimits.*.hard': 3,
  'services.*.extends.service': 'one',
  'services.*.extends': { file: 'other.yaml', service: 'one' },
  'services.*.extends.file': undefined,
  'services.*.depends_on.*.condition': 'service_started',
  'networks.*.ipam.config.*.subnet': '10.9.0.0/17',
  'secrets.*.environment': 'PATH',
  'configs.*.environment': 'PATH',
  'configs.*.content': 'y',
  'secrets.*.file': 'env.env',
  'configs.*.file': 'env.env',
  'include.*.path': ['other.yaml'],
  'include.*.project_directory': 'sub',
  services: { z: { image: 'z' } },
}

/** `data` with the first value at an attribute path taken out or replaced; undefined when it is not there. */
export function without(data: Data, attribute: string): Data | undefined {
  const copy = structuredClone(data)
  const change = (at: Data, keys: readonly string[]): boolean => {
    if (at === null || typeof at !== 'object') return false
    const [key, ...rest] = keys as [string, ...string[]]
    for (const own of key === '*' ? Object.keys(at) : [key]) {
      if (!Object.hasOwn(at, own)) continue
      if (rest.length > 0 ? change(at[own], rest) : apply(at, own)) return true
    }
    return false
  }
  const apply = (at: Data, key: string): boolean => {
    if (instead[attribute] !== undefined) at[key] = instead[attribute]
    else delete at[key]
    return true
  }
  return change(copy, attribute.split('.')) ? copy : undefined
}
