/** Slots: 0 the root, 1 /dev, 2 /dev/pts, 3 passing, 4 another container's /dev/shm, 5–14 binds with a propagation of their own. */
export const slots = { root: 0, dev: 1, pts: 2, passing: 3, shm: 4, shared: 5, last: 14 } as const
