/** The labels by which a stack's parts are found in a swarm: those of "docker stack", so that its tools see ours, and Compose's. */
export const labels = {
  stack: 'com.docker.stack.namespace',
  /** The image as the stack names it, without a digest. */
  image: 'com.docker.stack.image',
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  network: 'com.docker.compose.network',
} as const

export function stackFilter(name: string): {
  readonly label: readonly string[]
} {
  return { label: [`${labels.stack}=${name}`] }
}

/** "shop_web". */
export function serviceName(project: string, service: string): string {
  return `${project}_${service}`
}
