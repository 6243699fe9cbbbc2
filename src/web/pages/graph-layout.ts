/** Who needs whom, as boxes and lines: the model of a stack laid out by dagre. */
import { Graph, layout } from '@dagrejs/dagre'
import type { StackModel } from '../wire.ts'

export interface Box {
  readonly id: string
  readonly kind: 'service' | 'network' | 'volume' | 'port'
  readonly title: string
  /** Top left corner. */
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Line {
  readonly from: string
  readonly to: string
  readonly kind: 'needs' | 'uses'
  /** started, healthy, completed. */
  readonly condition?: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface Drawing {
  readonly width: number
  readonly height: number
  readonly boxes: readonly Box[]
  readonly lines: readonly Line[]
}

const height = 46
const small = 28

/** @param parts whether networks, volumes and ports are drawn too */
export function drawingOf(model: StackModel, parts: boolean): Drawing {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 72, marginx: 12, marginy: 12 })
  graph.setDefaultEdgeLabel(() => ({}))
  const kinds = new Map<string, { readonly kind: Box['kind']; readonly title: string }>()
  const add = (id: string, kind: Box['kind'], title: string): void => {
    kinds.set(id, { kind, title })
    graph.setNode(id, {
      width: Math.max(kind === 'service' ? 104 : 64, title.length * 7.6 + (kind === 'service' ? 46 : 28)),
      height: kind === 'service' ? height : small,
    })
  }
  const lines: { from: string; to: string; kind: Line['kind']; condition?: string }[] = []
  for (const service of model.services) add(`service ${service.name}`, 'service', service.name)
  for (const { name, needs, networks, volumes, ports } of model.services) {
    for (const { service, condition } of needs)
      if (kinds.has(`service ${service}`))
        lines.push({ from: `service ${service}`, to: `service ${name}`, kind: 'needs', condition })
    if (!parts) continue
    for (const { published, target, protocol } of ports) {
      const id = `port ${published}:${target}/${protocol} ${name}`
      add(id, 'port', published === '' ? `any → ${target}` : `:${published} → ${target}`)
      lines.push({ from: `service ${name}`, to: id, kind: 'uses' })
    }
    for (const { key } of volumes) {
      add(`volume ${key}`, 'volume', key)
      lines.push({ from: `volume ${key}`, to: `service ${name}`, kind: 'uses' })
    }
    for (const key of networks) {
      add(`network ${key}`, 'network', key)
      lines.push({ from: `network ${key}`, to: `service ${name}`, kind: 'uses' })
    }
  }
  for (const [at, line] of lines.entries()) graph.setEdge(line.from, line.to, {}, String(at))
  layout(graph)
  const { width = 0, height: tall = 0 } = graph.graph() as { width?: number; height?: number }
  return {
    width: Math.max(width, 1),
    height: Math.max(tall, 1),
    boxes: [...kinds].map(([id, { kind, title }]) => {
      const node = graph.node(id) as { x: number; y: number; width: number; height: number }
      return {
        id,
        kind,
        title,
        x: node.x - node.width / 2,
        y: node.y - node.height / 2,
        width: node.width,
        height: node.height,
      }
    }),
    lines: lines.map((line, at) => ({
      ...line,
      points: (graph.edge(line.from, line.to, String(at)) as { points: { x: number; y: number }[] }).points,
    })),
  }
}

/** A soft line through points, as the path of an SVG. */
export function pathThrough(points: Line['points']): string {
  const [first, ...rest] = points
  if (!first) return ''
  let path = `M${first.x},${first.y}`
  for (const [at, point] of rest.entries()) {
    const next = rest[at + 1]
    if (!next) path += `L${point.x},${point.y}`
    else path += `Q${point.x},${point.y} ${(point.x + next.x) / 2},${(point.y + next.y) / 2}`
  }
  return path
}
