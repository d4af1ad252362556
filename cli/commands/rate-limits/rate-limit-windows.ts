export const rateLimitWindows = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year'] as const;
export type RateLimitWindow = (typeof rateLimitWindows)[number];
