/** What others can reach or read: published ports, credentials in variables, limits that nobody set. */
import { limitRow } from '../model/limits.ts'
import type { Port } from '../model/port.ts'
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import type { Risk } from './finding.ts'

/** Ports of servers that are meant for neighbours and often ask for no password. */
const inner: Readonly<Record<number, string>> = {
  2375: 'an engine without TLS',
  2379: 'etcd',
  3306: 'MySQL',
  5432: 'PostgreSQL',
  5672: 'RabbitMQ',
  5984: 'CouchDB',
  6379: 'Redis',
  8086: 'InfluxDB',
  9042: 'Cassandra',
  9092: 'Kafka',
  9200: 'Elasticsearch',
  11211: 'memcached',
  27017: 'MongoDB',
}

export function* publishedPorts(service: Service, project: Project): Generator<Risk> {
  // a range is one entry of the stack and one finding
  const seen = new Set<string>()
  for (const port of service.ports) {
    if (!isEverywhere(port)) continue
    const place = JSON.stringify(project.place(port.path))
    if (seen.has(place)) continue
    seen.add(place)
    const server = inner[port.target]
    const published = port.published ?? 'any port'
    yield {
      rule: 'published-port',
      severity: server ? 'high' : 'low',
      path: port.path.slice(2),
      grants: `${published} → ${port.target}/${port.protocol} on all addresses of the host`,
      risk: server
        ? `${capital(server)} can be reached from every network the host is in, past most host firewalls`
        : 'It can be reached from every network the host is in, past most host firewalls',
      change: server
        ? `Leave it out: services of the stack reach each other without; or 127.0.0.1:${port.published ?? ''}:${port.target}`
        : `127.0.0.1:${port.published ?? ''}:${port.target} where only this machine needs it`,
    }
  }
}

function isEverywhere({ hostIp }: Port): boolean {
  return hostIp === undefined || hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::'
}

const secretName =
  /(?:^|_)(?:PASSW(?:OR)?D|PASSPHRASE|PWD|SECRET|TOKEN|API_?KEY|(?:PRIVATE|ACCESS|SECRET)_?KEY|CREDENTIALS?)$/i
const passwordInUrl = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i

export function* secretsInVariables(service: Service): Generator<Risk> {
  const rows = [
    ['environment', service.environment] as const,
    ...(service.build ? [['build', service.build.args] as const] : []),
  ]
  for (const [key, values] of rows)
    for (const [name, value] of Object.entries(values)) {
      if (!value || !(secretName.test(name) || passwordInUrl.test(value))) continue
      const built = key === 'build'
      yield {
        rule: built ? 'secret-in-build' : 'secret-in-environment',
        severity: 'medium',
        path: built ? ['build', 'args', name] : ['environment', name],
        grants: `${name} as ${built ? 'a build argument' : 'a variable'}`,
        risk: built
          ? 'Build arguments stay in the history of the image, for whoever gets it'
          : 'Variables are shown by inspect, passed on to every child process, and written into crash reports',
        change: built
          ? 'build: secrets, and RUN --mount=type=secret'
          : `secrets, and ${name}_FILE where the image knows it`,
      }
    }
}

export function* limits(service: Service): Generator<Risk> {
  const lacking = (['memory', 'pids'] as const).filter(name => !service.limits[name])
  for (const name of lacking) {
    const { key } = limitRow(name)
    yield {
      rule: 'no-limit',
      severity: 'low',
      path: [],
      grants: `${name === 'memory' ? 'all memory' : 'all process ids'} of the host`,
      risk: name === 'memory' ? 'One leak ends other programs of the host' : 'A fork bomb stops the whole host',
      change: `${key}: ${name === 'memory' ? '512m' : '200'}, or what it really needs`,
    }
  }
}

export function* builds({ build }: Service): Generator<Risk> {
  if (!build) return
  if (build.privileged || build.entitlements.includes('security.insecure'))
    yield {
      rule: 'insecure-build',
      severity: 'high',
      path: ['build', build.privileged ? 'privileged' : 'entitlements'],
      grants: 'builds with all capabilities',
      risk: 'Every base image and every package of the build is trusted with the host',
      change: 'Leave it out',
    }
  if (build.network === 'host' || build.entitlements.includes('network.host'))
    yield {
      rule: 'insecure-build',
      severity: 'medium',
      path: ['build', build.network === 'host' ? 'network' : 'entitlements'],
      grants: 'builds in the network of the host',
      risk: 'What runs in the build reaches what listens on loopback only',
      change: 'Leave it out',
    }
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1)
}
