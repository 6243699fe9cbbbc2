/** A small API server in memory: lists, watches, server-side apply with its dry run, deletion; it refuses what a real one refuses (recorded.test.ts). */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Live, LivePod, ManagedFields } from '../../../src/targets/kubernetes/live.ts'
import { type JsonMap, kindNames, kinds, type Manifest } from '../../../src/targets/kubernetes/manifest.ts'
import { applied, sorted } from './fake-apply.ts'
import { listed, matches, type Stored, selectorOf } from './fake-lists.ts'
import { immutableIn, invalidIn, takenIn } from './fake-refusals.ts'

interface Refused {
  readonly code: number
  readonly reason: string
  readonly message: string
  readonly causes?: readonly { readonly reason?: string; readonly field?: string; readonly message: string }[]
}

interface Watcher {
  readonly plural: string
  readonly labels: Readonly<Record<string, string>>
  readonly response: ServerResponse
}

export interface Call {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: JsonMap | undefined
  readonly headers: IncomingMessage['headers']
}

export class FakeCluster {
  readonly calls: Call[] = []
  readonly #objects = new Map<string, Stored>()
  readonly #watchers = new Set<Watcher>()
  readonly #removed: { readonly plural: string; readonly version: number; readonly object: Stored }[] = []
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  #version = 100
  /** What becomes of the pods of what is written; undefined: they run at once. */
  pods: (workload: Live) => readonly LivePod[] | undefined = () => undefined
  /** Members that it does not keep, as one that is older than they are. */
  drops: readonly string[] = []

  async listen(): Promise<string> {
    await new Promise<void>(done => this.#server.listen(0, '127.0.0.1', done))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(done => this.#server.close(done))
  }

  /** By "plural name". */
  get(key: string): Live | undefined {
    return this.#objects.get(key) as Live | undefined
  }

  /** Names by plural, sorted. */
  all(plural: string): readonly string[] {
    return [...this.#objects.keys()]
      .filter(key => key.startsWith(`${plural} `))
      .map(key => key.slice(plural.length + 1))
      .sort()
  }

  /** As a controller makes it. */
  put(plural: string, object: object): void {
    const stored = object as Stored
    stored.metadata['resourceVersion'] = String(++this.#version)
    this.#objects.set(`${plural} ${stored.metadata.name}`, stored)
    this.#tell(plural, 'ADDED', stored)
  }

  /** As somebody else does it, by kubectl or a controller. */
  edit(key: string, manager: string, change: JsonMap, subresource?: string): void {
    const stored = this.#objects.get(key)
    if (!stored) throw new Error(`There is no ${key}`)
    const managed = (stored.metadata['managedFields'] ?? []) as ManagedFields[]
    const result = applied({ manager, force: true, body: change, live: stored as JsonMap, managed, time: now() })
    if ('conflicts' in result) throw new Error('forced')
    const own = result.managed.at(-1)!
    const named = { ...own, operation: 'Update', ...(subresource === undefined ? {} : { subresource }) }
    this.#store(key.split(' ')[0]!, result.object as unknown as Stored, [...result.managed.slice(0, -1), named])
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://cluster')
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString()
    const body = text === '' ? undefined : (JSON.parse(text) as JsonMap)
    const call = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      body,
      headers: request.headers,
    }
    this.calls.push(call)
    const send = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    }
    const found = /\/namespaces\/([^/]+)\/([a-z]+)(?:\/([^/]+))?(\/log)?$/.exec(url.pathname)
    if (!found)
      return send(
        404,
        statusOf({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource' }),
      )
    const [, namespace = '', plural = '', name, log] = found
    if (log) return void response.writeHead(200).end(`2026-01-01T00:00:00.000000001Z ${name} says\n`)
    if (name === undefined)
      return url.searchParams.has('watch') ? this.#watch(plural, call, response) : send(200, this.#list(plural, call))
    const result = this.#object(plural, { name, namespace, call })
    if ('reason' in result) send(result.code, statusOf(result as Refused))
    else send(result.status, result.object)
  }

  #list(plural: string, call: Call): object {
    const all = [...this.#objects].flatMap(([key, stored]) => (key.startsWith(`${plural} `) ? [stored] : []))
    return listed(all, call, this.#version)
  }

  #watch(plural: string, { query }: Call, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    const watcher = { plural, labels: selectorOf(query), response }
    this.#watchers.add(watcher)
    response.on('close', () => this.#watchers.delete(watcher))
    const field = query.get('fieldSelector')?.split('=')[1]
    // what was done between the list and this is told too
    for (const [key, stored] of this.#objects)
      if (
        key.startsWith(`${plural} `) &&
        matches(stored, watcher.labels) &&
        (field === undefined || stored.metadata.name === field)
      )
        response.write(`${JSON.stringify({ type: 'MODIFIED', object: stored })}\n`)
    const from = Number(query.get('resourceVersion') ?? Number.POSITIVE_INFINITY)
    for (const { plural: of, version, object } of this.#removed)
      if (
        of === plural &&
        version > from &&
        matches(object, watcher.labels) &&
        !this.#objects.has(`${of} ${object.metadata.name}`)
      )
        response.write(`${JSON.stringify({ type: 'DELETED', object })}\n`)
    if (field !== undefined && !this.#objects.has(`${plural} ${field}`))
      response.write(`${JSON.stringify({ type: 'DELETED', object: { metadata: { name: field } } })}\n`)
  }

  #object(
    plural: string,
    { name, namespace, call }: { readonly name: string; readonly namespace: string; readonly call: Call },
  ): { readonly status: number; readonly object: object } | Refused {
    const key = `${plural} ${name}`
    const stored = this.#objects.get(key)
    const group = Object.values(kinds).find(each => each.plural === plural)?.group
    const missing: Refused = {
      code: 404,
      reason: 'NotFound',
      message: `${plural}${group ? `.${group}` : ''} "${name}" not found`,
    }
    switch (call.method) {
      case 'GET':
        return stored ? { status: 200, object: stored } : missing
      case 'DELETE': {
        if (!stored) return missing
        const uid = (call.body?.['preconditions'] as JsonMap | undefined)?.['uid']
        if (uid !== undefined && uid !== stored.metadata['uid'])
          return {
            code: 409,
            reason: 'Conflict',
            message: `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored.metadata['uid']}`,
          }
        this.#remove(plural, key, stored)
        return { status: 200, object: { kind: 'Status', status: 'Success' } }
      }
      case 'PATCH':
        if (namespace === 'missing')
          return { code: 404, reason: 'NotFound', message: `namespaces "${namespace}" not found` }
        return call.headers['content-type'] === 'application/apply-patch+yaml'
          ? this.#apply(plural, stored, call)
          : this.#patch(plural, stored, call)
      default:
        return {
          code: 405,
          reason: 'MethodNotAllowed',
          message: 'the server does not allow this method on the requested resource',
        }
    }
  }

  #apply(
    plural: string,
    stored: Stored | undefined,
    { query, body = {} }: Call,
  ): { readonly status: number; readonly object: object } | Refused {
    const manifest = body as unknown as Manifest
    const others = [...this.#objects].flatMap(([key, object]) =>
      key.startsWith(`${plural} `) && object !== stored ? [object as unknown as Live] : [],
    )
    const invalid = invalidIn(plural, manifest) ?? takenIn(plural, manifest, others)
    if (invalid) return invalid
    const kept = structuredClone(body) as Record<string, unknown>
    for (const path of this.drops) dropAt(kept, path.split('.'))
    const managed = (stored?.metadata['managedFields'] ?? []) as ManagedFields[]
    const manager = query.get('fieldManager') ?? ''
    const result = applied({
      manager,
      force: query.get('force') === 'true',
      body: kept as JsonMap,
      live: (stored ?? { metadata: {} }) as unknown as JsonMap,
      managed,
      time: now(),
    })
    if ('conflicts' in result) {
      const { conflicts } = result
      return {
        code: 409,
        reason: 'Conflict',
        message: `Apply failed with ${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}`,
        causes: conflicts.map(({ manager: by, field }) => ({
          reason: 'FieldManagerConflict',
          field,
          message: `conflict with "${by}"`,
        })),
      }
    }
    const object = result.object as unknown as Stored
    const fixed = stored && immutableIn(plural, stored as unknown as Live, object as unknown as Live)
    if (fixed) return fixed
    const status = stored ? 200 : 201
    if (query.get('dryRun') === 'All')
      return {
        status,
        object: {
          ...object,
          metadata: {
            ...(stored?.metadata ?? { uid: 'not-yet', creationTimestamp: now() }),
            ...object.metadata,
            managedFields: result.managed,
          },
        },
      }
    return { status, object: this.#store(plural, object, result.managed) }
  }

  #patch(
    plural: string,
    stored: Stored | undefined,
    { query, body = {} }: Call,
  ): { readonly status: number; readonly object: object } | Refused {
    if (!stored) return { code: 404, reason: 'NotFound', message: `${plural} not found` }
    this.edit(`${plural} ${stored.metadata.name}`, query.get('fieldManager') ?? '', {
      apiVersion: String(stored['apiVersion']),
      ...body,
    })
    return { status: 200, object: this.#objects.get(`${plural} ${stored.metadata.name}`)! }
  }

  #store(plural: string, object: Stored, managedFields: readonly ManagedFields[]): Stored {
    const key = `${plural} ${object.metadata.name}`
    const before = this.#objects.get(key)
    const { status: _, ...content } = object
    const spec = JSON.stringify(sorted(object['spec']))
    const isSame =
      before &&
      JSON.stringify(sorted({ ...content, metadata: labelled(object) })) ===
        JSON.stringify(sorted({ ...without(before), metadata: labelled(before) }))
    const owned = JSON.stringify(sorted(managedFields)) === JSON.stringify(sorted(before?.metadata['managedFields']))
    if (before && isSame && owned) return before
    const generation =
      Number(before?.metadata['generation'] ?? 0) +
      (JSON.stringify(sorted(before?.['spec'])) === spec && before ? 0 : 1)
    const metadata = {
      ...object.metadata,
      uid: before?.metadata['uid'] ?? `uid-${++this.#version}`,
      creationTimestamp: before?.metadata['creationTimestamp'] ?? now(),
      resourceVersion: String(++this.#version),
      generation,
      managedFields,
    }
    const stored: Stored = { ...object, metadata }
    this.#objects.set(key, stored)
    this.#control(plural, stored as unknown as Live)
    this.#tell(plural, before ? 'MODIFIED' : 'ADDED', this.#objects.get(key)!)
    return this.#objects.get(key)!
  }

  /** What controllers and nodes make of it, at once. */
  #control(plural: string, live: Live): void {
    const kind = kindNames.find(each => kinds[each].plural === plural)
    const template = live.spec?.['template'] as
      | {
          readonly metadata?: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> }
          readonly spec: JsonMap
        }
      | undefined
    if (!kind || !template || kind === 'CronJob') return
    const wanted = Number(live.spec?.['replicas'] ?? live.spec?.['completions'] ?? 1)
    const { name, uid, generation } = live.metadata
    const given = this.pods({ ...live, kind })
    for (const key of [...this.#objects.keys()])
      if (key.startsWith('pods ') && this.#objects.get(key)?.['owner'] === uid)
        this.#remove('pods', key, this.#objects.get(key)!)
    const pods =
      given ??
      Array.from({ length: wanted }, (_, i) => ({
        metadata: {
          name: `${name}-${i}`,
          labels: template.metadata?.labels,
          annotations: template.metadata?.annotations,
        },
        spec: { ...template.spec, nodeName: 'node-1' },
        status: {
          phase: 'Running',
          containerStatuses: [{ name: 'c', ready: true, restartCount: 0, state: { running: {} } }],
        },
      }))
    for (const pod of pods) {
      const made = {
        ...pod,
        owner: uid,
        metadata: { ...pod.metadata, uid: `uid-${++this.#version}`, resourceVersion: String(++this.#version) },
      }
      this.#objects.set(`pods ${pod.metadata.name}`, made as unknown as Stored)
      this.#tell('pods', 'ADDED', made as unknown as Stored)
    }
    const ready = given === undefined ? wanted : 0
    const status = {
      observedGeneration: generation,
      replicas: wanted,
      updatedReplicas: wanted,
      readyReplicas: ready,
      availableReplicas: ready,
      desiredNumberScheduled: wanted,
      updatedNumberScheduled: wanted,
      numberAvailable: ready,
      ...(kind === 'Job' && ready > 0 ? { succeeded: wanted, conditions: [{ type: 'Complete', status: 'True' }] } : {}),
    }
    this.#objects.set(`${plural} ${name}`, { ...(live as unknown as Stored), status })
  }

  #remove(plural: string, key: string, stored: Stored): void {
    this.#objects.delete(key)
    this.#removed.push({ plural, version: ++this.#version, object: stored })
    for (const [other, { owner }] of [...this.#objects])
      if (owner !== undefined && owner === stored.metadata['uid'])
        this.#remove('pods', other, this.#objects.get(other)!)
    this.#tell(plural, 'DELETED', stored)
  }

  #tell(plural: string, type: string, object: Stored): void {
    for (const watcher of this.#watchers)
      if (watcher.plural === plural && matches(object, watcher.labels))
        watcher.response.write(`${JSON.stringify({ type, object })}\n`)
  }
}

function labelled({ metadata }: Stored): object {
  return { labels: metadata['labels'], annotations: metadata['annotations'] }
}

function without({ status: _, ...rest }: Stored): object {
  return rest
}

function dropAt(value: Record<string, unknown>, [key = '', ...rest]: readonly string[]): void {
  const below = key === '*' ? Object.values(value) : [value[key]]
  if (rest.length === 0) delete value[key]
  else
    for (const each of below)
      if (typeof each === 'object' && each !== null) dropAt(each as Record<string, unknown>, rest)
}

function statusOf({ code, reason, message, causes }: Refused): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    details: { causes },
    code,
  }
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z')
}
