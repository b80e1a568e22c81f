# One image for every service of this repository; docker-compose.yml says which program each runs.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/slim-core/package.json libs/slim-core/
COPY libs/slim-platform-node/package.json libs/slim-platform-node/
COPY libs/slim-platform-browser/package.json libs/slim-platform-browser/
COPY libs/nestjs-slim/package.json libs/nestjs-slim/
COPY src/node/package.json src/node/
COPY src/cli/package.json src/cli/
COPY src/cli/bin src/cli/bin
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev --omit=optional

FROM node:22-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/libs libs
COPY --from=build /app/src/node src/node
COPY --from=build /app/src/cli src/cli
COPY --from=build /app/dist dist
# The page of a demo, which needs no build.
COPY --from=build /app/src/demos/incident/page src/demos/incident/page
# The user `node` of the official image, by number so that any base has it.
USER 1000:1000
CMD ["node", "src/cli/bin/slim.js", "node", "--listen", "0.0.0.0:46357"]
