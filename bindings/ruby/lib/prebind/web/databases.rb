# frozen_string_literal: true

module Prebind
  module Web
    # ActiveRecord's connections to databases. Before 7.2, a request keeps each from its first query to its end.
    module Databases
      class << self
        # Gives those of this thread back, so that logins that wait for the chat server do not take the connections
        # that the site's other pages wait for.
        #
        # @return [void]
        def release
          return unless defined?(::ActiveRecord::Base)

          pools.each do |pool|
            connection = pool.active_connection?
            # The transaction is somebody else's, such as that of a test.
            pool.release_connection if connection && !connection.transaction_open?
          end
        end

        private

        # Those of all roles, such as of replicas. The name is another one from 7.1 on.
        def pools
          handler = ::ActiveRecord::Base.connection_handler
          handler.respond_to?(:each_connection_pool) ? handler.connection_pool_list(:all) : handler.all_connection_pools
        end
      end
    end
  end
end
