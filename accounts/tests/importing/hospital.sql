CREATE TABLE users (
    user_id INT AUTO_INCREMENT PRIMARY KEY COMMENT '用户ID',
    username VARCHAR(50) NOT NULL UNIQUE COMMENT '用户名',
    email VARCHAR(100) UNIQUE COMMENT '邮箱',
    password_hash VARCHAR(255) NOT NULL COMMENT '密码哈希',
    full_name VARCHAR(100) COMMENT '真实姓名',
    role ENUM('admin', 'doctor', 'researcher', 'viewer') DEFAULT 'doctor' COMMENT '用户角色',
    department VARCHAR(100) COMMENT '所属部门',
    avatar_url VARCHAR(500) COMMENT '头像URL',
    phone VARCHAR(20) COMMENT '手机号',
    is_active TINYINT DEFAULT 1 COMMENT '是否激活(0-禁用,1-启用)',
    last_login DATETIME COMMENT '最后登录时间',
    created_time DATETIME DEFAULT CURRENT_TIMESTAMP COMMENT '创建时间',
    updated_time DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP COMMENT '更新时间',
    INDEX idx_username (username),
    INDEX idx_email (email),
    INDEX idx_role (role)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='用户表';

-- 用户登录日志表
CREATE TABLE login_logs (
    log_id INT AUTO_INCREMENT PRIMARY KEY COMMENT '日志ID',
    user_id INT NOT NULL COMMENT '用户ID',
    login_ip VARCHAR(45) COMMENT '登录IP',
    user_agent TEXT COMMENT '用户代理',
    login_time DATETIME DEFAULT CURRENT_TIMESTAMP COMMENT '登录时间',
    status ENUM('success', 'failed') COMMENT '登录状态',
    failure_reason VARCHAR(200) COMMENT '失败原因',
    INDEX idx_user_id (user_id),
    INDEX idx_login_time (login_time),
    FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='登录日志表';

-- 插入测试用户 (密码都是: 123456)
INSERT INTO users (username, email, password_hash, full_name, role, department) VALUES 
('admin', 'admin@hospital.com', '$2b$12$LQv3c1yqBWVHxkd0L8k7esd8dQQC5eRYtsj4C1BfqgSGcV7C2lL5a', '系统管理员', 'admin', '信息科'),
('dr_wang', 'wang@hospital.com', '$2b$12$LQv3c1yqBWVHxkd0L8k7esd8dQQC5eRYtsj4C1BfqgSGcV7C2lL5a', '王医生', 'doctor', '呼吸科'),
('dr_li', 'li@hospital.com', '$2b$12$LQv3c1yqBWVHxkd0L8k7esd8dQQC5eRYtsj4C1BfqgSGcV7C2lL5a', '李研究员', 'researcher', '科研部'),
('viewer_zhang', 'zhang@hospital.com', '$2b$12$LQv3c1yqBWVHxkd0L8k7esd8dQQC5eRYtsj4C1BfqgSGcV7C2lL5a', '张医生', 'viewer', '放射科');
