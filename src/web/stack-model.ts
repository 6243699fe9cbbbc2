/** What the files of a stack say, as far as a page draws it. */
import { audit } from '../audit/audit.ts'
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import { problemRows } from './problem-rows.ts'
import type { ReadStack, StackPlace } from './roads.ts'
import type { ModelService, StackModel } from './wire.ts'

export function stackModel({ project, problems, files }: ReadStack, place: StackPlace): StackModel {
  const rows = problemRows(problems, place.directory)
  if (!project)
    return { services: [], networks: [], volumes: [], problems: rows, findings: [], names: namesOf(undefined), files }
  return {
    services: Object.values(project.services).map(service => modelService(service, project)),
    networks: named(project.networks),
    volumes: named(project.volumes),
    problems: rows,
    findings: audit(project).map(({ service, severity, rule, grants, risk, change }) => ({
      service,
      severity,
      rule,
      grants,
      risk,
      change,
    })),
    names: namesOf(project),
    files,
  }
}

function namesOf(project: Project | undefined): StackModel['names'] {
  const { services = {}, networks = {}, volumes = {}, configs = {}, secrets = {} } = project ?? {}
  return {
    services: Object.keys(services),
    networks: Object.keys(networks),
    volumes: Object.keys(volumes),
    configs: Object.keys(configs),
    secrets: Object.keys(secrets),
  }
}

function named(all: Readonly<Record<string, { readonly name: string; readonly external?: boolean }>>) {
  return Object.entries(all).map(([key, { name, external = false }]) => ({ key, name, external }))
}

function modelService(service: Service, project: Project): ModelService {
  const { name, image, build, replicas, dependsOn, networks, mounts, ports } = service
  return {
    name,
    ...(image !== undefined && { image }),
    build: build !== undefined,
    replicas,
    needs: Object.values(dependsOn),
    networks: Object.keys(networks).filter(key => Object.hasOwn(project.networks, key)),
    volumes: mounts.flatMap(mount =>
      mount.kind === 'volume' && mount.source !== undefined ? [{ key: mount.source, target: mount.target }] : [],
    ),
    ports: ports.map(({ published = '', target, protocol, hostIp = '' }) => ({
      published,
      target,
      protocol,
      host: hostIp,
    })),
  }
}
