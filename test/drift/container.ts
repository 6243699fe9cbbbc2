/** A container of a stack as the keeper sees it. */
import type { ObservedContainer } from '../../src/targets/engine/observed.ts'

/** It runs, unless something else is said. */
export function container(more: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: 'a',
    name: 'shop-web-1',
    service: 'web',
    number: 1,
    oneOff: false,
    state: 'running',
    exitCode: undefined,
    health: undefined,
    image: 'busybox',
    imageId: 'sha256:1',
    labels: {},
    networkMode: '',
    networks: {},
    volumes: [],
    ...more,
  }
}
